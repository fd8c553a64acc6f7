trainer = DPOTrainer(model="Qwen", args=DPOConfig(beta=0.1), train_dataset=rows)
row = {"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}
