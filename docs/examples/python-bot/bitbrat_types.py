"""The messages of the bus contract as types. Generated from docs/contract/schemas.

In the gateway's repository: `npx nx run workspace-plugin:generate`. Fields that are not here may come at any time: ignore them.
"""
from __future__ import annotations

from typing import Any, Dict, List, Literal, TypedDict


# Name of a connector, e.g. `twilio`, `twitch`, `discord`: lower-case letters, digits and hyphens, first
# a letter, 32 characters at most. The set is open.
ConnectorName = str


# RFC 3339 in UTC, with a `Z`: `2026-11-20T07:40:31.592Z`.
Timestamp = str


JsonValue = Any


# Further facts as JSON: the platform's own ids, by the platform's own names. Not versioned.
Metadata = Dict[str, JsonValue]


class _SenderRequired(TypedDict):
    # The platform's stable identity of the sender.
    id: str
    # The name that people see.
    displayName: str
    # The sender's roles in the channel, in the platform's words: `moderator`, a role's name.
    roles: List[str]
    # True where the platform says that a program wrote the message.
    isBot: bool


class Sender(_SenderRequired, total=False):
    """Who wrote the message."""

    # The unique name that people type, where the platform has one apart from `id`.
    login: str


class _ChannelRequired(TypedDict):
    # The platform's id of the channel.
    id: str
    # `conversation`: SMS or WhatsApp; `channel`: public to its members; `direct`: with one person;
    # `thread`: a branch of a channel.
    kind: Literal["conversation", "channel", "direct", "thread"]


class Channel(_ChannelRequired, total=False):
    """Where the message was written."""

    # What people call it.
    name: str


class _AttachmentRequired(TypedDict):
    # Where the bytes are, by `http` or `https`. Some platforms hand out links that expire: fetch soon.
    url: str


class Attachment(_AttachmentRequired, total=False):
    """A file that belongs to a message."""

    # MIME type, e.g. `image/png`.
    contentType: str
    # Name that the sender gave the file.
    fileName: str
    # Size in bytes.
    size: int


class _ReplyToRequired(TypedDict):
    # Full name of the bus topic, prefix included, on which the instance that published this listens.
    # Publish the answer there.
    topic: str
    # Becomes `target.connector` of the answer.
    connector: ConnectorName
    # Becomes `target.destination` of the answer.
    destination: str


class ReplyTo(_ReplyToRequired, total=False):
    """Copy it into an egress event and the answer arrives where the message came from."""

    # The platform's id of this message; becomes `inReplyTo` of the answer.
    inReplyTo: str


_IngressEnvelopeKeywords = TypedDict("_IngressEnvelopeKeywords", {"from": "str"})


class IngressEnvelope(_IngressEnvelopeKeywords):
    """One message that somebody wrote on a platform."""

    # Version of the contract. A reader takes the versions it knows and nothing else.
    v: Literal["1"]
    # `{source}:{native message id}`, of an edit or a deletion with a revision behind it. The same
    # happening has the same id whoever reads it, however often: deduplicate by it.
    id: str
    # `chat.message.v1`: written; `chat.message.edited.v1`: `text` is the new text;
    # `chat.message.deleted.v1`: gone, `text` is empty; `contact.consent.v1`: follows a message that is
    # STOP, START, HELP or the like, or a refusal by the platform to send to somebody who has opted out:
    # `metadata.consent` is `out` (wants no messages any more), `in` (wants them again) or `help`, `text`
    # is empty. An edit or deletion names the message it is about in `replyTo.inReplyTo`.
    type: Literal["chat.message.v1", "chat.message.edited.v1", "chat.message.deleted.v1", "contact.consent.v1"]
    # The connector that read the message.
    source: ConnectorName
    sender: Sender
    channel: Channel
    # The message's body; empty where it has none.
    text: str
    # Files that came with the message; often empty.
    attachments: List[Attachment]
    # The platform's time of the happening.
    occurredAt: Timestamp
    # The gateway's time of receipt.
    receivedAt: Timestamp
    # A UUID derived from `id`: a repeated delivery carries the same one. Copy it into the answer.
    correlationId: str
    replyTo: ReplyTo
    metadata: Metadata


class EgressTarget(TypedDict):
    """Where the message goes."""

    # The connector that sends.
    connector: ConnectorName
    # The platform's address: conversation SID, channel name, channel id.
    destination: str


class _EgressEventRequired(TypedDict):
    # Version of the contract. A reader takes the versions it knows and nothing else.
    v: Literal["1"]
    # The idempotency key: two events with one id are one message. An answer takes `reply:{envelope id}`.
    id: str
    # What is asked for: send a message.
    type: Literal["chat.send.v1"]
    target: EgressTarget
    # Plain text, 100,000 UTF-16 code units at most (more: outcome `failed`, `PAYLOAD_INVALID`); it is
    # split at the platform's limit, never cut. Not blank without an attachment.
    text: str
    # The envelope's, or one of your own; the outcome carries it.
    correlationId: str


class EgressEvent(_EgressEventRequired, total=False):
    """One message that a bot wants sent. It has text, an attachment, or both."""

    # Files to send along, by public URL.
    attachments: List[Attachment]
    # The platform's id of the message that is answered; shown where the platform can.
    inReplyTo: str
    # After this time the message is not sent any more; its outcome is `expired`.
    expiresAt: Timestamp
    # Further facts as JSON, for your own use.
    metadata: Metadata


class _ErrorInfoRequired(TypedDict):
    # For programs, e.g. `TARGET_NOT_FOUND`. The set is open.
    code: str
    # For people; never a secret.
    message: str
    # Whether trying the same again later may succeed.
    retryable: bool


class ErrorInfo(_ErrorInfoRequired, total=False):
    """What went wrong."""

    # The platform's own code, where it gave one.
    nativeCode: str


class _EgressOutcomeRequired(TypedDict):
    # Version of the contract. A reader takes the versions it knows and nothing else.
    v: Literal["1"]
    # `{event id}:{status}`, of one part of a split text `{event id}:{status}:{part}`: a repeated outcome
    # has the same id.
    id: str
    # An outcome.
    type: Literal["chat.outcome.v1"]
    # The egress event's `id`.
    eventId: str
    # The egress event's.
    correlationId: str
    # `sent`: the platform has accepted it; `delivered`, `read`: the platform said so later; `failed`:
    # not sent, `error` says why; `expired`: `expiresAt` had passed; `suppressed`: the recipient does not
    # want messages; `unknown`: the platform's answer was lost and cannot be had again.
    status: Literal["sent", "delivered", "read", "failed", "expired", "suppressed", "unknown"]
    # The egress event's.
    target: EgressTarget
    # The platform's message ids in order; more than one where the text was split.
    platformMessageIds: List[str]
    # How often sending was tried, earlier deliveries included as far as the bus counts them; 0 with what
    # the platform said later.
    attempts: int
    # When the outcome was known.
    occurredAt: Timestamp


class EgressOutcome(_EgressOutcomeRequired, total=False):
    """What became of one egress event."""

    # Why it was not sent; absent where it was.
    error: ErrorInfo
