"""The OpenAPI description, and schemathesis over it: whatever it thinks of, each answer is one that is described."""

import subprocess
import sys
from pathlib import Path

EXAMPLES = 12  # of each operation, beside those that cover each keyword of the schema


def test_every_answer_is_as_described(service, tmp_path):
    """All its checks, but the one that a made-up photo or product must be found."""
    command = [Path(sys.executable).with_name("schemathesis"), "run", f"{service.url}/openapi.json"]
    options = ["--checks", "all", "--exclude-checks", "positive_data_acceptance", "--seed", "1", "-n", str(EXAMPLES)]
    done = subprocess.run(
        [*map(str, command), *options, "--no-color"], cwd=tmp_path, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stdout
    assert "Operations:       8 selected / 8 total" in done.stdout
    assert "Traceback" not in service.log


def test_the_description_names_what_there_is(service):
    """The photo's field, every field beside it, and problems as their own kind of document."""
    described = service.get("/openapi.json").json()
    form = described["paths"]["/search"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {
        *("file", "url", "box", "pictures", "candidates", "k", "category", "brand", "in_stock"),
        *("semantic", "texture", "color", "price_min", "price_max"),
    }
    assert list(described["paths"]["/search"]["post"]["responses"]["4XX"]["content"]) == ["application/problem+json"]
