"""Debian's Chromium as a small phone, JavaScript off, driven line by line: a JSON command in, a JSON answer out.

Run inside the phone's namespace. Commands: {"open": URL}, {"press": CSS}, {"look": ""}.
Each answer tells url, title and text of the page as it is then, or the error.
"""

import json
import sys

from playwright.sync_api import Error, Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
]
USER_AGENT = (
    "Mozilla/5.0 (Linux; Android 11; SM-A013G) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 "
    "Mobile Safari/537.36"
)


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        context = browser.new_context(
            viewport={"width": 320, "height": 568},
            device_scale_factor=2,
            is_mobile=True,
            has_touch=True,
            java_script_enabled=False,
            ignore_https_errors="--insecure" in sys.argv,
            locale="id-ID",
            user_agent=USER_AGENT,
        )
        page = context.new_page()
        for line in sys.stdin:
            print(json.dumps(act(page, json.loads(line))), flush=True)
        browser.close()


def act(page: Page, command: dict[str, str]) -> dict[str, str]:
    try:
        if "open" in command:
            page.goto(command["open"], wait_until="load", timeout=20_000)
        elif "press" in command:
            page.locator(command["press"]).first.click(timeout=10_000)
            page.wait_for_load_state("load", timeout=20_000)
        return {
            "url": page.url,
            "title": page.title(),
            "text": page.locator("body").inner_text(timeout=5_000),
            "error": "",
        }
    except Error as error:
        return {"url": page.url, "title": "", "text": "", "error": str(error)}


if __name__ == "__main__":
    main()
