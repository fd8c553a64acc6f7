"""What the notebooks of 4_costs share: budgets, the price of a talk, your own bill."""
