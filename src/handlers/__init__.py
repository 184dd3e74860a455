"""One module per Lambda function: wires adapters into use cases, observes, translates."""
