"""Token metrics of Azure Monitor, as `az monitor metrics list` and its REST API give them: sums by
time and model, no calls.
"""

from .records import dicts, parsed, whole

# {metric of Microsoft.CognitiveServices/accounts: the count}. Names and dimensions: Microsoft's
# "Azure OpenAI monitoring data reference"; the form: Azure/azure-rest-api-specs, Metrics_List
METRICS = {
    "processedprompttokens": "input",
    "generatedtokens": "output",
    "azureopenairequests": "requests",
}
DIMENSIONS = ("modelname", "modeldeploymentname")


def is_metrics(record):
    return {"value", "timespan", "interval"} <= set(record) and any(
        "timeseries" in metric for metric in dicts(record["value"])
    )


def metrics(page, notes):
    """A row a time and model (by deployment, where that is told, as its feature)."""
    rows: dict[tuple, dict] = {}
    others = set()
    for metric in dicts(page.get("value")):
        name = str(parsed(metric.get("name")).get("value", ""))
        count = METRICS.get(name.lower())
        if count is None:
            others.add(name or "(no name)")
            continue
        for series in dicts(metric.get("timeseries")):
            said = _dimensions(series)
            for point in dicts(series.get("data")):
                total = _whole(point.get("total"))
                if not total:
                    continue
                key = (_text(point.get("timeStamp")), *map(said.get, DIMENSIONS))
                row = rows.setdefault(key, {"input": 0, "output": 0})
                # other dimensions, as regions, split a count in parts
                parts = row.get(count, 0), total
                row[count] = sum(parts) if all(isinstance(n, int) for n in parts) else total
    if others:
        notes.append(f"metrics that count no tokens, not used: {', '.join(sorted(others))}")
    notes.append(
        "Azure's tokens at OpenAI's list prices: what Azure bills may be another sum. Its metrics do not tell what came from the cache"
    )
    for (when, model, deployment), row in rows.items():
        row |= {"when": when, "model": model, "feature": deployment}
        if model is None:
            notes.append("the metrics are not split by model: ask for them with --filter \"ModelName eq '*'\"")  # fmt: skip
        yield row | {"id": whole(row)}
    if not rows:
        yield None


def _dimensions(series):
    """{dimension in lower case: its value} of a series."""
    said = {}
    for pair in dicts(series.get("metadatavalues")):
        name = parsed(pair.get("name")).get("value")
        if isinstance(name, str):
            said[name.lower()] = _text(pair.get("value"))
    return said


def _text(value):
    return value if isinstance(value, str) else None


def _whole(number):
    """1500.0, as the API writes sums, as 1500; anything else as it is."""
    try:
        return int(number) if number == int(number) else number
    except (TypeError, ValueError, OverflowError):
        return number
