"""Holds `ocs lint --target openvino` against the precisions that OpenVINO itself gives to the nodes of a model.

  openvino_truth.py OCS MODEL CALIBRATION [RECIPE KEY=VALUE ...]

Quantizes MODEL with the keys, compiles the result for the CPU, and compares every Conv, Gemm and MatMul: forecast on integers or not, and
the kernel of the node in the execution graph that computes it. Exit code 77 without the package openvino, 1 where they differ.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
LAYERS = ("Conv", "Gemm", "MatMul")


def forecast(ocs: str, model: Path) -> dict[str, bool]:
    answer = subprocess.run(
        [ocs, "lint", str(model), "--target", "openvino", "--json"], stdout=subprocess.PIPE, check=False
    )
    nodes = json.loads(answer.stdout)["nodes"]
    return {node["name"]: node["fused"] for node in nodes if node["op"] in LAYERS}


def integer_kernels(model: Path) -> dict[str, bool]:
    """By the name of a node in the model: whether the kernel that computes it works on integers."""
    import openvino

    network = openvino.Core().read_model(model)
    network.reshape(
        {
            port: openvino.PartialShape([d.get_length() if d.is_static else 1 for d in port.partial_shape])
            for port in network.inputs
        }
    )
    compiled = openvino.Core().compile_model(network, "CPU")
    kernels = {}
    for node in compiled.get_runtime_model().get_ordered_ops():
        info = {key: str(node.get_rt_info()[key].value) for key in node.get_rt_info()}
        if info.get("layerType") not in ("Convolution", "FullyConnected", "MatMul"):
            continue
        for name in info["originalLayersNames"].split(","):
            kernels[name.split("/WithoutBiases")[0]] = info["primitiveType"].endswith("I8")
    return kernels


def main() -> int:
    try:
        import openvino
    except ImportError:
        print("skipped: the Python package openvino is not installed")
        return SKIPPED
    ocs, model, calibration, *keys = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "quantized.onnx"
        command = [ocs, "quantize", model, "-o", str(written), "--calib", calibration, "--calib-count", "16", "--quiet"]
        subprocess.run(command + keys, check=True, stdout=subprocess.DEVNULL)
        expected = forecast(ocs, written)
        found = integer_kernels(written)
    differ = [name for name, fused in expected.items() if found.get(name) is not fused]
    for name in differ:
        print(f"{name}: forecast {expected[name]}, OpenVINO {openvino.__version__}: {found.get(name)}")
    print(f"{len(expected) - len(differ)} of {len(expected)} layers as forecast")
    return 1 if differ or not expected else 0


if __name__ == "__main__":
    sys.exit(main())
