#!/usr/bin/env python3
"""Reads the manifests as the Google Cloud CLI does, without a network: fields that it does not know and values of another
type are faults. Needs the Google Cloud CLI on this machine. Usage: deploy/check_manifests.py
"""
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

gcloud = shutil.which("gcloud")
if gcloud is None:
    sys.exit("gcloud is not on the PATH: install the Google Cloud CLI")
library = pathlib.Path(gcloud).resolve().parent.parent / "lib"
sys.path[:0] = [str(library), str(library / "third_party")]

from apitools.base.py import encoding  # noqa: E402
from googlecloudsdk.api_lib.cloudbuild import config  # noqa: E402
from googlecloudsdk.core import yaml  # noqa: E402
from googlecloudsdk.generated_clients.apis.cloudbuild.v1 import cloudbuild_v1_messages  # noqa: E402
from googlecloudsdk.generated_clients.apis.run.v1 import run_v1_messages  # noqa: E402

faults = 0
for manifest in sorted((ROOT / "deploy").glob("cloud-run.service.*.yaml")):
    service = encoding.PyValueToMessage(run_v1_messages.Service, yaml.load_path(str(manifest)))
    unknown = [".".join([*map(str, edges), *map(str, fields)]) for edges, fields in encoding.UnrecognizedFieldIter(service)]
    faults += len(unknown)
    print(f"{manifest.name}: {', '.join(unknown) or 'every field is known'}")

build = config.LoadCloudbuildConfigFromPath(str(ROOT / "cloudbuild.yaml"), cloudbuild_v1_messages, params={})
print(f"cloudbuild.yaml: {len(build.steps)} steps, every field is known")
sys.exit(1 if faults else 0)
