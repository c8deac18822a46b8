"""Answers every message with its own text: a bot on the bus, standard library only. See ../writing-a-bot.md.

Environment: GOOGLE_CLOUD_PROJECT, PUBSUB_EMULATOR_HOST (or, for Google Cloud, PUBSUB_ACCESS_TOKEN), BUS_PREFIX.
"""
import base64, datetime, hashlib, json, os, signal, sys, time, urllib.error, urllib.request

EMULATOR, TOKEN = os.environ.get("PUBSUB_EMULATOR_HOST"), os.environ.get("PUBSUB_ACCESS_TOKEN")
PROJECT = f"projects/{os.environ['GOOGLE_CLOUD_PROJECT']}"
TOPIC = f"{PROJECT}/topics/{os.environ.get('BUS_PREFIX', '')}internal.ingress.v1"
SUBSCRIPTION = f"{PROJECT}/subscriptions/{os.environ.get('BUS_PREFIX', '')}python-echo-bot"
state = {"stopping": False, "waiting": False, "subscribed": False}

def call(method, path, body=None):
    base = f"http://{EMULATOR}" if EMULATOR else "https://pubsub.googleapis.com"
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {TOKEN}"} if TOKEN else {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{base}/v1/{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.load(response)

def make(path, body, *expected):
    try:
        call("PUT", path, body)
    except urllib.error.HTTPError as error:
        if error.code not in expected: raise

def subscribe():  # whichever of bot and gateway starts first: what is written from now on is kept for the bot
    make(TOPIC, {}, 403, 409)  # 409: it exists already; 403: only the gateway may make it
    # a bot that ends leaves a pull behind: what it is handed comes again after the ack deadline
    make(SUBSCRIPTION, {"topic": TOPIC, "enableMessageOrdering": True, "ackDeadlineSeconds": 10}, 409)
    if not state["subscribed"]: print("listening", flush=True)
    state["subscribed"] = True

def mend():  # a subscription whose topic was deleted stays and gets nothing any more
    if call("GET", SUBSCRIPTION)["topic"] != TOPIC:
        call("DELETE", SUBSCRIPTION)
        subscribe()

def ordering_key(connector, channel):
    digest = hashlib.sha1(f"{connector}\n{channel}".encode()).digest()
    return f"b{int.from_bytes(digest[:4], 'big') % 64:02d}"

def answer(message):
    envelope = json.loads(base64.b64decode(message.get("data", "")))
    if envelope["v"] != "1": raise ValueError(f"version {envelope['v']}")
    if envelope["type"] != "chat.message.v1" or envelope["sender"]["isBot"]: return
    if envelope.get("metadata", {}).get("consent"): return  # STOP, START, HELP: the platform has answered
    to = envelope["replyTo"]
    event = {"v": "1", "id": f"reply:{envelope['id']}", "type": "chat.send.v1",
             "target": {"connector": to["connector"], "destination": to["destination"]},
             "text": envelope["text"].strip() or f"({len(envelope['attachments'])} attachments)",
             "correlationId": envelope["correlationId"]}
    if "inReplyTo" in to: event["inReplyTo"] = to["inReplyTo"]
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    attributes = {"ce-specversion": "1.0", "ce-id": event["id"], "ce-source": "/bots/python-echo",
                  "ce-type": event["type"], "ce-time": now, "ce-subject": f"{to['connector']}/{to['destination']}"}
    trace = message.get("attributes", {}).get("traceparent")
    if trace: attributes["traceparent"] = trace
    data = base64.b64encode(json.dumps(event).encode()).decode()
    key = ordering_key(to["connector"], to["destination"])
    call("POST", f"{PROJECT}/topics/{to['topic']}:publish",
         {"messages": [{"data": data, "attributes": attributes, "orderingKey": key}]})

def stop(*_):
    state["stopping"] = True
    if state["waiting"]: raise SystemExit(0)  # what is in hand is finished first

for name in (signal.SIGTERM, signal.SIGINT): signal.signal(name, stop)
while not state["stopping"]:
    try:
        state["waiting"] = True
        if not state["subscribed"]: subscribe()
        received = call("POST", f"{SUBSCRIPTION}:pull", {"maxMessages": 10}).get("receivedMessages", [])
        if not received: mend()
        state["waiting"] = False
        for item in received:
            try:
                answer(item["message"])
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:  # no better next time
                print(f"unreadable: {item['message']['messageId']}: {fault!r}", file=sys.stderr, flush=True)
            call("POST", f"{SUBSCRIPTION}:acknowledge", {"ackIds": [item["ackId"]]})
    except OSError as fault:  # what is not acknowledged comes again
        if getattr(fault, "code", None) == 404: state["subscribed"] = False
        print(f"the bus: {fault}", file=sys.stderr, flush=True)
        time.sleep(1)
        state["waiting"] = False
