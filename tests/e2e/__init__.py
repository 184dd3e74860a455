"""The deployed shape: template.yaml deployed by SAM CLI, called over HTTP, run by the runtime."""
