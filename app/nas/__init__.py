"""How we speak to routers: one module per family, all with the same surface; `families` chooses."""
