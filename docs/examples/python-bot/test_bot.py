"""Tests of the bot without a bus: `python3 -m unittest`."""
import unittest

from bitbrat_bot import answers_of, sms
from bot import on_message


class Answers(unittest.TestCase):
    def test_answers_with_the_text(self) -> None:
        answers = answers_of(on_message, sms("hello"))
        self.assertEqual([answer["text"] for answer in answers], ["You wrote: hello"])

    def test_goes_back_to_where_the_message_came_from(self) -> None:
        message = sms("hello")
        answer, = answers_of(on_message, message)
        self.assertEqual(answer["target"]["destination"], message["replyTo"]["destination"])

    def test_gives_the_same_id_when_the_message_comes_again(self) -> None:
        first, second = (answers_of(on_message, sms("hello"))[0]["id"] for _ in range(2))
        self.assertEqual(first, second)


if __name__ == "__main__":
    unittest.main()
