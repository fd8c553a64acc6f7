"""A question that a recording answers, in slightly other words; and questions that are others."""

import openai
import pytest


@pytest.fixture
def client(api):
    with openai.OpenAI(base_url=api.url, api_key=api.key, max_retries=2) as client:
        yield client


def said(client, words):
    asked = [{"role": "user", "content": words}]
    return client.chat.completions.create(model="o1", messages=asked).choices[0].message.content


@pytest.mark.parametrize(
    "words", ["are you there", "Are you there", "Hello, are you there?", "Are you there, please?", " Are you there ?!"]
)  # fmt: skip
def test_the_same_question_is_answered_alike(client, words):
    assert said(client, words) == said(client, "Are you there?")


@pytest.mark.parametrize("words", ["Are you not there?", "Are you here?", "Hello", "There?"])
def test_another_question_is_off_the_map(client, words):
    with pytest.raises(openai.APIStatusError) as stopped:
        said(client, words)
    assert stopped.value.status_code == 424


def test_the_tokens_are_those_of_the_words_that_were_sent(client):
    asked = [
        client.chat.completions.create(model="o1", messages=[{"role": "user", "content": words}])
        for words in ("Are you there?", "Hello there, are you there, please?")
    ]
    assert asked[0].usage.prompt_tokens < asked[1].usage.prompt_tokens
