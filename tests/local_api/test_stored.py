"""Stored responses, as the SDK asks for them over a socket."""

import openai
import pytest

RULE = "You help cooks. Answer with one temperature in celsius and nothing else."
ASK = {"model": "gpt-5.6-sol", "instructions": RULE}
FIRST = "My American recipe says 350 °F. What is that in kelvin?"


@pytest.fixture
def client(api):
    with openai.OpenAI(base_url=api.url, api_key=api.key, max_retries=0) as client:
        yield client


def test_a_response_is_continued(client):
    first = client.responses.create(**ASK, input=FIRST)
    assert first.output_text == "177 °C"
    then = client.responses.create(**ASK, input="And 400 °F?", previous_response_id=first.id)
    assert then.output_text == "204 °C" and then.previous_response_id == first.id
    again = client.responses.create(**ASK, input="And 212 °F?", previous_response_id=then.id)
    assert again.output_text == "100 °C"


def test_two_answers_of_one_recording_are_two_responses(client):
    one, other = (
        client.responses.create(**ASK, input=FIRST.replace("350", f)) for f in ("350", "300")
    )
    assert one.id != other.id
    asked = client.responses.input_items.list(one.id).data[0].content[0].text
    assert "350" in asked


def test_a_streamed_response_is_continued(client):
    with client.responses.stream(**ASK, input=FIRST) as events:
        first = events.get_final_response()
    then = client.responses.create(**ASK, input="And 400 °F?", previous_response_id=first.id)
    assert then.output_text == "204 °C"


def test_a_response_is_retrieved_with_its_input_and_deleted(client):
    first = client.responses.create(**ASK, input=FIRST)
    then = client.responses.create(**ASK, input="And 400 °F?", previous_response_id=first.id)
    assert client.responses.retrieve(then.id).output_text == "204 °C"
    items = client.responses.input_items.list(then.id, order="asc").data
    assert [(i.role, i.content[0].text) for i in items] == [
        ("user", FIRST),
        ("assistant", "177 °C"),
        ("user", "And 400 °F?"),
    ]
    assert client.responses.input_items.list(then.id, limit=1).data[0].content[0].text == "And 400 °F?"  # fmt: skip
    client.responses.delete(first.id)
    assert client.responses.create(**ASK, input=FIRST).id == first.id
    assert client.responses.retrieve(first.id).id == first.id
    client.responses.delete(then.id)
    with pytest.raises(openai.NotFoundError, match=then.id):
        client.responses.retrieve(then.id)
    with pytest.raises(openai.BadRequestError, match="not found") as stopped:
        client.responses.create(**ASK, input="And?", previous_response_id=then.id)
    assert stopped.value.code == "previous_response_not_found"


def test_what_is_not_to_be_stored_is_not(client):
    first = client.responses.create(
        **ASK, input="My American recipe says 300 °F. What is that in celsius?", store=False
    )
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    kept = client.responses.create(**ASK, input=FIRST)
    once = client.responses.create(**ASK, input=FIRST, store=False)
    assert client.responses.retrieve(kept.id).output_text == once.output_text
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(once.id)
    with pytest.raises(openai.BadRequestError, match="resp_none"):
        client.responses.create(**ASK, input="And?", previous_response_id="resp_none")


def test_a_limit_of_thousands_of_digits_is_refused_and_a_page_goes_on_after_an_item(client):
    first = client.responses.create(**ASK, input=FIRST)
    then = client.responses.create(**ASK, input="And 400 °F?", previous_response_id=first.id)
    with pytest.raises(openai.BadRequestError, match="'limit'"):
        client.responses.input_items.list(then.id, extra_query={"limit": "9" * 5_000})
    items = client.responses.input_items.list(then.id, order="asc").data
    rest = client.responses.input_items.list(then.id, order="asc", after=items[0].id).data
    assert [i.id for i in rest] == [i.id for i in items[1:]]


def test_an_item_that_is_only_named_is_the_item(client):
    """As Vercel's ai passes on what was said before."""
    answers = {f: client.responses.create(**ASK, input=FIRST.replace("350", f)) for f in ("350", "300")}  # fmt: skip
    names = lambda answer: [{"type": "item_reference", "id": i.id} for i in answer.output]
    for f, answer in answers.items():
        turns = [{"role": "user", "content": FIRST.replace("350", f)}, *names(answer)]
        then = client.responses.create(**ASK, input=[*turns, {"role": "user", "content": "And 400 °F?"}])  # fmt: skip
        assert then.output_text == "204 °C"
        sent = client.responses.input_items.list(then.id, order="asc").data
        assert [i.content[0].text for i in sent] == [
            FIRST.replace("350", f),
            answer.output_text,
            "And 400 °F?",
        ]
    client.responses.delete(answers["300"].id)
    with pytest.raises(openai.NotFoundError, match="Items are not persisted") as stopped:
        client.responses.create(**ASK, input=[*names(answers["300"])])
    assert stopped.value.body["param"] == "input"


def test_an_endpoint_below_responses_is_no_response(client):
    with pytest.raises(openai.APIStatusError, match="POST /v1/responses/input_tokens") as stopped:
        client.responses.input_tokens.count(model="gpt-5.6-sol", input="Hi")
    assert stopped.value.status_code == 424
