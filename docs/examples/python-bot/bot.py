"""Your bot: what it answers. Run it with `python3 bot.py`; README.md has the settings."""
from bitbrat_bot import Reply, run
from bitbrat_types import IngressEnvelope


def on_message(message: IngressEnvelope, reply: Reply) -> None:
    reply(f"You wrote: {message['text']}")


if __name__ == "__main__":
    run("python-bot", on_message)
