"""What the faces for people share: templates, languages, signed tokens, error pages, one way to run a query."""
