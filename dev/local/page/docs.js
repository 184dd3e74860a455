// Shows the interface as the service itself describes it.
SwaggerUIBundle({ url: "/v2/openapi.json", dom_id: "#document", deepLinking: true, validatorUrl: null });
