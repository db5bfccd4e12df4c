"""From stored feature rows to a model file: labels, honest splits, fitting, export, the gate before release."""
