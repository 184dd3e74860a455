"""Deliveries of change events to a webhook, signed by the Standard Webhooks specification."""
