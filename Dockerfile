# Node's version is architecture.yaml's deployment.build.nodeImage. Pin it further by digest where your policy wants it:
# docker buildx imagetools inspect node:20.20.2-bookworm-slim
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /source
ENV CI=true NX_DAEMON=false NX_NO_CLOUD=true
COPY . .
RUN npm ci && npx nx build ingress-egress && tools/image/assemble.sh /image

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production
COPY --from=build /image/app /app
WORKDIR /app
# The user `node` of the base image, by number, so that platforms can see that it is not root.
USER 1000:1000
# Nothing is written to the container's file system: it may be read-only.
ENTRYPOINT ["/usr/local/bin/node", "/app/main.mjs"]
