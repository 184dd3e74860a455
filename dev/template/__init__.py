"""What is read from ``template.yaml``, so that nothing says it a second time."""
