"""Answers every message with its own text, by the Python example in python-bot/. See ../writing-a-bot.md.

Environment: GOOGLE_CLOUD_PROJECT, PUBSUB_EMULATOR_HOST (or, for Google Cloud, PUBSUB_ACCESS_TOKEN), BUS_PREFIX.
"""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "python-bot"))

from bitbrat_bot import run  # noqa: E402


def echo(message, reply):
    reply(message["text"].strip() or f"({len(message['attachments'])} attachments)")


if __name__ == "__main__":
    run("python-echo", echo)
