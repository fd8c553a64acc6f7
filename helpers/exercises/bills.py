"""The exercises of notebooks/4_costs/05_your_own_bill."""

from . import exercise, judge


@exercise(
    "bills-1",
    hint='bill.cube has a row for each day, model and feature; feature is "proj_support". Cached and other input are columns of their own: divide one by the sum of both.',
)
def cache_share_of_support(answer):
    from .. import bills, prices

    cube = bills.price(bills.read(prices.DATA / "usage" / "synthetic_usage.json")).cube
    support = cube[cube["feature"] == "proj_support"]
    cached, other = int(support["text_cached_input"].sum()), int(support["text_input"].sum())
    right = cached / (cached + other)
    given = float(answer)
    if abs(given - right) < 0.001:
        return None
    if abs(given / 100 - right) < 0.001:
        return "those are percent; give a fraction of 1."
    if abs(given - cached / other) < 0.001:
        return "that is cached against not cached; asked is its share of all input."
    if (
        abs(
            given
            - int(cube["text_cached_input"].sum())
            / int((cube["text_cached_input"] + cube["text_input"]).sum())
        )
        < 0.001
    ):
        return "that is the share of all projects; asked is proj_support."
    return f"you have {given:.3f}. Both kinds of text input, of proj_support alone, in the shipped synthetic_usage.json?"


@exercise(
    "bills-2",
    hint="Ask of each sentence which number of this page carries it. A price is not a quality, and a sum is not a cause.",
)
def what_the_bill_supports(answer):
    right = {
        "luna": "supported",
        "quality": "open",
        "calls": "supported",
        "effort": "open",
        "interval": "contradicted",
        "whole": "contradicted",
    }
    why = {
        "luna": "the same tokens at both prices are both on the page",
        "quality": "a bill holds no answers; nobody looked at one",
        "calls": "compare its share of the requests with its share of the cost",
        "effort": "this export does not count hidden tokens, so it cannot say",
        "interval": "tried from earlier days of this file, it held far less often",
        "whole": "some rows have no price, batches among them, and are not in the sum",
    }
    return judge(answer, right, ("supported", "contradicted", "open"), why)
