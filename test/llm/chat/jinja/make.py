"""Renders conversations with the chat template that Nutshell gives to Hugging Face.

    python3 test/llm/chat/jinja/make.py          (Debian's python3-jinja2; Node 24 on PATH)

Reads conversations.json, writes rendered.json: the template it used and a text per case. The
environment is set up as transformers.utils.chat_template_utils does: blocks trimmed, sandboxed,
tojson without escapes for HTML.
"""
import json
import pathlib
import subprocess

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

here = pathlib.Path(__file__).parent
source = here.parents[3] / "src/llm/chat/template.ts"
show = f"import({json.dumps(source.as_uri())}).then((m) => process.stdout.write(m.chatTemplateJinja))"
template = subprocess.run(["node", "-e", show], capture_output=True, check=True, text=True).stdout


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
environment.globals["raise_exception"] = raise_exception
compiled = environment.from_string(template)


def render(case):
    try:
        return {"text": compiled.render(bos_token="<|bos|>", **case)}
    except jinja2.exceptions.TemplateError as error:
        return {"error": str(error)}


cases = json.loads((here / "conversations.json").read_text())
rendered = {
    "jinja2": jinja2.__version__,
    "template": template,
    "cases": [{**case, **render(case)} for case in cases],
}
(here / "rendered.json").write_text(json.dumps(rendered, ensure_ascii=False, indent=1) + "\n")
