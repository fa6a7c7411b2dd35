"""Checks what no schema says of `deploy/`, and writes the state machine of its template as plain JSON.

Usage: deploy.py PROGRAM STATE_MACHINE. Ends with status 1, and says why, when something is wrong.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from cfnlint.decode import cfn_yaml

DEPLOY = Path("deploy")
TEMPLATES = [DEPLOY / "aws-batch/template.yaml", DEPLOY / "step-functions/template.yaml"]
# What the values of parameters look like.
SAMPLES = {
    "AWS::Partition": "aws",
    "LogBucket": "central-logs",
    "StoreBucket": "trail-store",
    "StorePrefix": "trimtrail",
    "Workers": "8",
}


def main(program, state_machine):
    wanted = documented_policy()
    policies = {}
    commands = []
    for path in TEMPLATES:
        resources = cfn_yaml.load(str(path))["Resources"]
        policies[path] = policy_of(resources["JobRole"])
        if "JobDefinition" in resources:
            commands.append(resources["JobDefinition"]["Properties"]["ContainerProperties"]["Command"])
        if "StateMachine" in resources:
            properties = resources["StateMachine"]["Properties"]
            definition = json.dumps(properties["Definition"])
            # As CloudFormation puts values in.
            for name in properties["DefinitionSubstitutions"]:
                definition = definition.replace("${" + name + "}", SAMPLES.get(name, "8" if name == "Count" else name))
            if "${" in definition:
                sys.exit(f"{path}: the state machine names something that is not put in: {definition}")
            Path(state_machine).write_text(definition, encoding="utf-8")
            states = json.loads(definition)["States"]
            commands.append(containers(states["Commit"])[0]["Command"])
            text = containers(states["Workers"]["ItemProcessor"]["States"]["Ingest"])[0]["Command.$"]
            commands.append(words_of_array(text))
    for path in (DEPLOY / "kubernetes/nightly.yaml", DEPLOY / "kubernetes/workers.yaml"):
        commands.append(pod_of(path)["containers"][0]["args"])
        check_pod(path, pod_of(path))
    for path, policy in policies.items():
        if policy != wanted:
            sys.exit(f"{path} grants {policy}\nbut deploy/README.md says {wanted}")
    printed = printed_policy(program)
    if printed != wanted:
        sys.exit(f"doctor prints {printed}\nbut deploy/README.md says {wanted}")
    for command in commands:
        check_command(program, [resolved(word) for word in command])
    print(f"valid: {len(commands)} command lines, {len(policies)} policies of {len(wanted)} statements")


def documented_policy():
    """The statements of deploy/README.md."""
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    document = json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL).group(1))
    return sorted(map(plain, document["Statement"]), key=repr)


def printed_policy(program):
    """The statements that the program prints for the same places."""
    store = f"s3://{SAMPLES['StoreBucket']}/{SAMPLES['StorePrefix']}"
    command = [program, "doctor", f"s3://{SAMPLES['LogBucket']}", "--store", store, "--print-iam",
               "--kms-key", "<LogKeyArn>", "--store-kms-key", "<StoreKeyArn>"]
    ended = subprocess.run(command, env={}, capture_output=True, text=True, check=True)
    return sorted(map(plain, json.loads(ended.stdout)["Statement"]), key=repr)


def policy_of(role):
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    statements = [statement["Fn::If"][1] if "Fn::If" in statement else statement for statement in statements]
    return sorted(map(plain, statements), key=repr)


def plain(statement):
    """Action and resource of a statement, and its condition, as comparable text."""
    actions = statement["Action"]
    actions = [actions] if isinstance(actions, str) else list(actions)
    condition = json.dumps(statement.get("Condition", {}), default=resolved)
    for name, value in SAMPLES.items():
        condition = condition.replace("${" + name + "}", value)
    condition = re.sub(r'\{"Fn::Sub": ("[^"]*")\}', r"\1", condition)
    return statement["Effect"], sorted(actions), resolved(statement["Resource"]), condition


def resolved(value):
    if isinstance(value, dict) and "Ref" in value:
        return f"<{value['Ref']}>"
    if isinstance(value, dict):
        value = value["Fn::Sub"]
    return re.sub(r"\$\{([^}]*)\}", lambda found: SAMPLES[found.group(1)], str(value))


def containers(state):
    return state["Parameters"]["Overrides"]["ContainerOverrides"]


def words_of_array(text):
    """The words of `States.Array(…)`, with one index in the place of `$`."""
    words = re.findall(r"States\.Format\('([^']*)', \$\)|'([^']*)'", text)
    return [(formatted.replace("{}", "0") or word) for formatted, word in words]


def pod_of(path):
    spec = cfn_yaml.load(str(path))["spec"]
    return spec.get("jobTemplate", {}).get("spec", spec)["template"]["spec"]


def check_pod(path, pod):
    container = pod["containers"][0]
    security = container["securityContext"]
    is_confined = (
        pod["securityContext"]["runAsNonRoot"] is True
        and pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        and pod["automountServiceAccountToken"] is False
        and security["readOnlyRootFilesystem"] is True
        and security["allowPrivilegeEscalation"] is False
        and security["capabilities"] == {"drop": ["ALL"]}
        and "memory" in container["resources"]["limits"]
    )
    if not is_confined:
        sys.exit(f"{path}: the pod may do more than it needs")


def check_command(program, words):
    """The program takes every word; `--help` keeps it from doing anything."""
    ended = subprocess.run([program, *words, "--help"], env={"JOB_COMPLETION_INDEX": "0"}, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(words)}: {ended.stderr}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
