"""Runs a bot on the bus of the gateway: Pub/Sub by its REST interface, standard library only, Python 3.8 or later.

Environment: PUBSUB_EMULATOR_HOST (a bus on this machine) or, for Google Cloud, PUBSUB_ACCESS_TOKEN; GOOGLE_CLOUD_PROJECT; BUS_PREFIX.

A message is acknowledged when the handler has returned and the bus has its answers. Messages of one ordering key are handled one after
the other, several keys at once. A handler that fails is called again; then the message is set aside on a topic of the bot's own.
"""
from __future__ import annotations

import base64, collections, datetime, hashlib, http.client, json, os, queue, random, re, signal, sys, threading, time
import urllib.error, urllib.request
from typing import Any, Callable, Deque, Dict, List, Optional

from bitbrat_types import EgressEvent, IngressEnvelope

WORKERS = 8
MAX_IN_HAND = 200
REMEMBERED = 10_000  # ids of messages that were handled
ATTEMPTS = 5
ACK_DEADLINE_S = 20  # what a killed process had in hand comes again after it
EXTEND_EVERY_S = 5
DRAIN_S = 8  # Cloud Run kills a process ten seconds after SIGTERM
MAX_BODY_BYTES = 7_000_000
NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")

Reply = Callable[[str], str]
Handler = Callable[[IngressEnvelope, Reply], None]


def say(*words: object) -> None:
    print(*words, file=sys.stderr, flush=True)


class Bus:
    """Calls of Pub/Sub's REST interface. They raise OSError, of which HTTPError is one."""

    def __init__(self) -> None:
        self.host = re.sub(r"^http://", "", os.environ.get("PUBSUB_EMULATOR_HOST", "")).rstrip("/")
        self.token = os.environ.get("PUBSUB_ACCESS_TOKEN")
        project = os.environ.get("GOOGLE_CLOUD_PROJECT")
        if not project:
            sys.exit("GOOGLE_CLOUD_PROJECT is not set: set it to the project of the bus, which is \"local\" with `npm start` and `npm run bus`")
        if not self.host and not self.token:
            sys.exit("no bus: set PUBSUB_EMULATOR_HOST=127.0.0.1:8085 for one on this machine (`npm start`), or PUBSUB_ACCESS_TOKEN for Google Cloud")
        self.project = f"projects/{project}"

    def call(self, method: str, path: str, body: Optional[dict] = None, timeout_s: float = 10) -> Any:
        base = f"http://{self.host}" if self.host else "https://pubsub.googleapis.com"
        headers = {"content-type": "application/json"}
        if self.token and not self.host:
            headers["authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{base}/v1/{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as response:
                return json.load(response)
        except (ValueError, http.client.HTTPException) as fault:
            raise OSError(f"an answer that is none: {fault!r}") from fault

    def make(self, path: str, body: dict, *accepted: int) -> None:
        try:
            self.call("PUT", path, body)
        except urllib.error.HTTPError as fault:
            if fault.code not in accepted:
                raise

    def publish(self, topic: str, message: dict) -> None:
        self.call("POST", f"{self.project}/topics/{topic}:publish", {"messages": [message]})


class Delivery:
    """One hand-over of a message. It is in hand until it is settled."""

    def __init__(self, item: dict) -> None:
        self.ack_id: str = item["ackId"]
        self.message: dict = item["message"]
        self.id: str = self.message.get("messageId", "")
        self.key: str = self.message.get("orderingKey") or self.id


def read(message: dict) -> IngressEnvelope:
    """Raises ValueError, KeyError or TypeError for what no later attempt can read."""
    data = base64.b64decode(message.get("data", ""))
    if len(data) > MAX_BODY_BYTES:
        raise ValueError(f"{len(data)} bytes")
    envelope = json.loads(data)
    if envelope["v"] != "1":
        raise ValueError(f"version {envelope['v']}")
    for field in ("id", "type", "text", "correlationId"):
        if not isinstance(envelope[field], str):
            raise ValueError(field)
    envelope["sender"]["isBot"], envelope["replyTo"]["topic"], envelope["replyTo"]["destination"]
    return envelope


def wants_answer(envelope: IngressEnvelope) -> bool:
    """A person's message. STOP, START and HELP are answered by the platform."""
    return (envelope["type"] == "chat.message.v1" and not envelope["sender"]["isBot"]
            and not envelope.get("metadata", {}).get("consent"))


def ordering_key(connector: str, channel: str) -> str:
    digest = hashlib.sha1(f"{connector}\n{channel}".encode()).digest()
    return f"b{int.from_bytes(digest[:4], 'big') % 64:02d}"


def make_answer(name: str, envelope: IngressEnvelope, text: str, number: int) -> EgressEvent:
    """The same message and number give the same id, so that the gateway sends a repeated answer once."""
    to = envelope["replyTo"]
    rest = envelope["id"] if number == 1 else f"{envelope['id']}:{number}"
    identity = f"reply:{name}:{rest}"
    if len(identity) > 256:
        identity = f"reply:{name}:{hashlib.sha256(rest.encode()).hexdigest()}"
    if not text.strip():
        raise ValueError("an answer needs a text")
    event: EgressEvent = {"v": "1", "id": identity, "type": "chat.send.v1", "text": text,
                          "target": {"connector": to["connector"], "destination": to["destination"]},
                          "correlationId": envelope["correlationId"]}
    if "inReplyTo" in to:
        event["inReplyTo"] = to["inReplyTo"]
    return event


def to_bus_message(name: str, event: EgressEvent, traceparent: Optional[str]) -> dict:
    target = event["target"]
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    subject = f"{target['connector']}/{target['destination']}"
    attributes = {"ce-specversion": "1.0", "ce-id": event["id"], "ce-source": f"/bots/{name}", "ce-type": event["type"],
                  "ce-time": now, "ce-subject": subject, **({"traceparent": traceparent} if traceparent else {})}
    return {"data": base64.b64encode(json.dumps(event).encode()).decode(),
            "attributes": {key: value for key, value in attributes.items() if len(value.encode()) <= 1024},
            "orderingKey": ordering_key(target["connector"], target["destination"])}


class Runner:
    """Pulls, hands messages to workers in order per key, extends ack deadlines, acknowledges."""

    def __init__(self, name: str, handler: Handler) -> None:
        if not NAME.fullmatch(name):
            raise ValueError("name: use lower-case letters, digits and single hyphens")
        self.name, self.handler, self.bus = name, handler, Bus()
        prefix = os.environ.get("BUS_PREFIX", "")
        self.topic = f"{self.bus.project}/topics/{prefix}internal.ingress.v1"
        self.subscription = f"{self.bus.project}/subscriptions/{prefix}bot.{name}"
        self.aside = f"{prefix}bot.{name}.set-aside"
        self.stopping = threading.Event()
        self.changed = threading.Condition()
        self.lanes: Dict[str, Deque[Delivery]] = {}  # by ordering key; the first of each is being handled
        self.in_hand: Dict[str, Delivery] = {}  # by ack id
        self.ready: "queue.Queue[str]" = queue.Queue()
        self.seen: "collections.OrderedDict[str, None]" = collections.OrderedDict()

    # Subscribing

    def subscribe(self) -> None:
        """Whichever of bot and gateway starts first: what is written from now on is kept for the bot."""
        self.prepare_aside()
        self.bus.make(self.topic, {}, 403, 409)  # 409: it exists already; 403: only the gateway may make it
        self.keep(self.subscription, self.topic)

    def prepare_aside(self) -> None:
        topic = f"{self.bus.project}/topics/{self.aside}"
        self.bus.make(topic, {}, 403, 409)
        self.keep(f"{self.bus.project}/subscriptions/{self.aside}", topic)

    def keep(self, subscription: str, topic: str) -> None:
        self.bus.make(subscription, {"topic": topic, "enableMessageOrdering": True, "ackDeadlineSeconds": ACK_DEADLINE_S,
                                     "retryPolicy": {"minimumBackoff": "1s", "maximumBackoff": "60s"}, "expirationPolicy": {}}, 409)

    def mend(self) -> None:
        """A subscription whose topic was deleted stays and gets nothing any more."""
        if self.bus.call("GET", self.subscription)["topic"] != self.topic:
            self.bus.call("DELETE", self.subscription)
            self.subscribe()

    # Threads

    def pull(self) -> None:
        subscribed, announced, failures = False, False, 0
        while not self.stopping.is_set():
            try:
                if not subscribed:
                    self.subscribe()
                    subscribed = True
                    if not announced:
                        print("listening", flush=True)
                    announced = True
                with self.changed:
                    self.changed.wait_for(lambda: len(self.in_hand) < MAX_IN_HAND or self.stopping.is_set())
                    room = MAX_IN_HAND - len(self.in_hand)
                body = {"maxMessages": max(1, min(room, 100))}
                items = self.bus.call("POST", f"{self.subscription}:pull", body, 120).get("receivedMessages", [])
                if not items:
                    self.mend()
                for item in items:
                    self.take(Delivery(item))
                failures = 0
            except Exception as fault:  # what is not acknowledged comes again
                if getattr(fault, "code", None) == 404:
                    subscribed = False
                failures += 1
                say(f"the bus{' at ' + self.bus.host if self.bus.host else ''}: {fault}")
                self.stopping.wait(min(10, 0.5 * 2 ** min(failures, 6)) * (0.5 + random.random() / 2))

    def take(self, delivery: Delivery) -> None:
        with self.changed:
            self.in_hand[delivery.ack_id] = delivery
            lane = self.lanes.setdefault(delivery.key, collections.deque())
            lane.append(delivery)
            if len(lane) == 1:
                self.ready.put(delivery.key)

    def work(self) -> None:
        while True:
            key = self.ready.get()
            with self.changed:
                delivery = self.lanes[key][0]
            done = False
            try:
                done = not self.stopping.is_set() and self.handle(delivery)
            except Exception as fault:  # a worker must not end: its message would be held for ever
                say(f"{delivery.id}: {fault!r}")
            self.settle(delivery, done)
            with self.changed:
                lane = self.lanes[key]
                lane.popleft()
                behind = [] if done else list(lane)  # the bus delivers again what follows a failure
                for _ in behind:
                    lane.popleft()
                if lane:
                    self.ready.put(key)
                else:
                    del self.lanes[key]
            for other in behind:
                self.settle(other, False)

    def extend(self) -> None:
        while True:
            time.sleep(EXTEND_EVERY_S)
            with self.changed:
                ids = list(self.in_hand)
            if ids:
                self.quietly(":modifyAckDeadline", {"ackIds": ids, "ackDeadlineSeconds": ACK_DEADLINE_S})

    # One message

    def handle(self, delivery: Delivery) -> bool:
        """True: acknowledge it."""
        try:
            envelope = read(delivery.message)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
            say(f"unreadable: {delivery.id}: {fault!r}")
            return self.set_aside(delivery, "UNREADABLE", fault, 0)
        if envelope["id"] in self.seen or not wants_answer(envelope):
            return True
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self.attempt(delivery, envelope)
                break
            except Exception as fault:
                say(f"{envelope['id']}: attempt {attempt} failed: {fault!r}")
                if attempt == ATTEMPTS:
                    return self.set_aside(delivery, "HANDLER_FAILED", fault, attempt)
                if self.stopping.wait(min(30, 2 ** (attempt - 1)) * (0.5 + random.random() / 2)):
                    return False
        with self.changed:
            self.seen[envelope["id"]] = None
            if len(self.seen) > REMEMBERED:
                self.seen.popitem(last=False)
        return True

    def attempt(self, delivery: Delivery, envelope: IngressEnvelope) -> None:
        count = 0

        def reply(text: str) -> str:
            nonlocal count
            count += 1
            event = make_answer(self.name, envelope, text, count)
            trace = delivery.message.get("attributes", {}).get("traceparent")
            self.bus.publish(envelope["replyTo"]["topic"], to_bus_message(self.name, event, trace))
            return event["id"]

        self.handler(json.loads(json.dumps(envelope)), reply)

    def set_aside(self, delivery: Delivery, code: str, fault: BaseException, attempts: int) -> bool:
        message = delivery.message
        known = {key: value for key, value in message.get("attributes", {}).items() if not key.startswith(("goog", "bitbrat-"))}
        detail = repr(fault).encode("utf-8", "replace")[:1024].decode("utf-8", "ignore")
        attributes = {**dict(list(known.items())[:90]), "bitbrat-bot": self.name, "bitbrat-error-code": code, "bitbrat-error": detail,
                      "bitbrat-attempts": str(attempts), "bitbrat-message-id": delivery.id,
                      "bitbrat-topic": self.topic.rsplit("/", 1)[1]}
        letter = {key: message[key] for key in ("data", "orderingKey") if key in message}
        try:
            self.prepare_aside()  # the bus may have lost it since the start, and drops what nobody is subscribed to
            self.bus.publish(self.aside, {**letter, "attributes": attributes})
        except OSError as fault_of_bus:
            say(f"{delivery.id} could not be set aside and comes again: {fault_of_bus}")
            return False
        say(f"{delivery.id} was set aside on {self.aside}: {code}")
        return True

    def settle(self, delivery: Delivery, done: bool) -> None:
        if done:
            self.quietly(":acknowledge", {"ackIds": [delivery.ack_id]})
        else:
            self.quietly(":modifyAckDeadline", {"ackIds": [delivery.ack_id], "ackDeadlineSeconds": 0})
        with self.changed:
            self.in_hand.pop(delivery.ack_id, None)
            self.changed.notify_all()

    def quietly(self, method: str, body: Dict[str, Any]) -> None:
        """A call whose failure means no more than that messages come again."""
        try:
            self.bus.call("POST", self.subscription + method, body, 5)
        except OSError as fault:
            say(f"{method[1:]}: {fault}")

    # From start to end

    def run(self) -> int:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self.stopping.set())
        for target in [self.pull, self.extend, *[self.work] * WORKERS]:
            threading.Thread(target=target, daemon=True).start()
        self.stopping.wait()
        with self.changed:  # what is being handled is finished, the rest goes back to the bus
            self.changed.notify_all()
            self.changed.wait_for(lambda: not self.in_hand, DRAIN_S)
        sys.stdout.flush()
        return 0


def run(name: str, handler: Handler) -> None:
    """Runs a bot until SIGTERM or SIGINT, then ends the process. `handler(envelope, reply)` is called in several threads."""
    sys.exit(Runner(name, handler).run())


def answers_of(handler: Handler, envelope: IngressEnvelope) -> List[EgressEvent]:
    """What a handler answers, for tests: no bus is needed."""
    answers: List[EgressEvent] = []

    def reply(text: str) -> str:
        answers.append(make_answer("test", envelope, text, len(answers) + 1))
        return answers[-1]["id"]

    handler(envelope, reply)
    return answers


def sms(text: str, sender: str = "+15550100", number: int = 1) -> IngressEnvelope:
    """An envelope as the gateway publishes it for an SMS, for tests."""
    sid, conversation = f"IM{number:032d}", f"CH{1:032d}"
    now = "2026-01-01T12:00:00.000Z"
    return {"v": "1", "id": f"twilio:{sid}", "type": "chat.message.v1", "source": "twilio", "from": sender,
            "sender": {"id": sender, "displayName": sender, "roles": [], "isBot": False},
            "channel": {"id": conversation, "kind": "conversation", "name": sender}, "text": text, "attachments": [],
            "occurredAt": now, "receivedAt": now, "correlationId": f"00000000-0000-5000-8000-{number:012d}",
            "replyTo": {"topic": "internal.egress.v1.test", "connector": "twilio", "destination": conversation, "inReplyTo": sid},
            "metadata": {}}
