export { type MediaFetcherOptions, type MediaFile, MediaFetcher } from './media/media-fetcher.js';
