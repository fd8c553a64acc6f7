"""The help desk's monthly tuning on pairs of answers."""
from openai import OpenAI

client = OpenAI()


def tune(file_id):
    return client.fine_tuning.jobs.create(
        model="gpt-4o-2024-08-06",
        training_file=file_id,
        method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}},
    )
