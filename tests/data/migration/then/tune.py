job = client.fine_tuning.jobs.create(  # names: fine_tuning.jobs.create
    model="gpt-4o-2024-08-06",  # names: gpt-4o-2024-08-06
    training_file=file.id,
    method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}},  # names: method dpo
)
row = {"input": {}, "preferred_completion": [], "non_preferred_completion": []}  # names: preferred_completion, non_preferred_completion
