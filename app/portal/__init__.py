"""The face for residents: splash page, login, status, log-out; routes read the request, views shape the page."""
