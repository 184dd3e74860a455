"""template.yaml, samconfig.toml and events: what is deployed, read without deploying it."""
