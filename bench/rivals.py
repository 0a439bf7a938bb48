#!/usr/bin/env python3
"""Other tools on the models and images that ocs is given; run by scripts/performance.py in an environment of its own (bench/rivals.txt).

  rivals.py versions
  rivals.py float MODEL PREPROCESS.json IMAGES COUNT      plain inference of the images, batch 1
  rivals.py onnxruntime MODEL PREPROCESS.json IMAGES COUNT OUT
  rivals.py nncf MODEL PREPROCESS.json IMAGES COUNT OUT
  rivals.py chain LAYERS CHANNELS OUT                     a float model of so many 3x3 Convs, with made-up weights

Each tool is called as its documentation recommends for CPUs. The last line of stdout is JSON: seconds of the work itself, without the start
of the interpreter and the imports.
"""

import importlib.metadata
import json
import pathlib
import sys
import tempfile
import time

import numpy as np


def images_of(folder, count):
    """The files that ocs takes, in its order."""
    files = sorted(pathlib.Path(folder).iterdir(), key=lambda path: path.name.encode())
    return [path for path in files if path.suffix.lower() in (".jpeg", ".jpg", ".png")][:count]


class Preprocess:
    """docs/commands.md, --preprocess: centre crop, order of channels, (pixel - mean) / std."""

    def __init__(self, file):
        keys = json.loads(pathlib.Path(file).read_text())
        unknown = set(keys) - {"crop", "channels", "mean", "std"}
        if unknown:
            raise SystemExit(f"{file}: rivals.py does not know {', '.join(sorted(unknown))}")
        self.crop = keys.get("crop")
        self.reverse = keys.get("channels", "rgb") == "bgr"
        self.mean = np.array(keys.get("mean", [0, 0, 0]), np.float32)
        self.std = np.array(keys.get("std", [1, 1, 1]), np.float32)

    def __call__(self, file):
        from PIL import Image

        pixels = np.asarray(Image.open(file).convert("RGB"))
        if self.crop:
            top, left = (pixels.shape[0] - self.crop) // 2, (pixels.shape[1] - self.crop) // 2
            pixels = pixels[top : top + self.crop, left : left + self.crop]
        if self.reverse:
            pixels = pixels[:, :, ::-1]
        values = (pixels.astype(np.float32) - self.mean) / self.std
        return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def input_of(model):
    import onnx

    graph = onnx.load(model, load_external_data=False).graph
    weights = {weight.name for weight in graph.initializer}
    return next(value.name for value in graph.input if value.name not in weights)


def run_float(model, preprocess, files):
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    start = time.perf_counter()
    for file in files:
        session.run(None, {name: preprocess(file)})
    return time.perf_counter() - start


def run_onnxruntime(model, preprocess, files, out):
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.calibrate import CalibrationDataReader
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.files = iter(files)

        def get_next(self):
            file = next(self.files, None)
            return None if file is None else {name: preprocess(file)}

    name = input_of(model)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        prepared = str(pathlib.Path(folder) / "prepared.onnx")
        quant_pre_process(model, prepared, skip_symbolic_shape=True)  # of use for transformers
        quantize_static(prepared, out, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                        calibrate_method=CalibrationMethod.MinMax)
    return time.perf_counter() - start


def run_nncf(model, preprocess, files, out):
    import nncf
    import onnx

    name = input_of(model)
    start = time.perf_counter()
    data = nncf.Dataset(files, lambda file: {name: preprocess(file)})
    onnx.save(nncf.quantize(onnx.load(model), data, subset_size=len(files)), out)
    return time.perf_counter() - start


def make_chain(layers, channels, out):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(1)
    nodes, weights, value = [], [], "x"
    for i in range(layers):
        inputs = channels if i else 3
        weight = random.normal(0, (2 / (9 * inputs)) ** 0.5, (channels, inputs, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(weight, f"w{i}"))
        nodes.append(helper.make_node("Conv", [value, f"w{i}"], [f"c{i}"], f"conv{i}", pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"], f"relu{i}"))
        value = f"r{i}"
    shape = lambda name, count: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, count, 32, 32])
    graph = helper.make_graph(nodes, "chain", [shape("x", 3)], [shape(value, channels)], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), out)


def main():
    command, *arguments = sys.argv[1:]
    if command == "versions":
        names = ("onnxruntime", "nncf", "onnx", "numpy", "pillow")
        print(json.dumps({name: importlib.metadata.version(name) for name in names}))
        return
    if command == "chain":
        make_chain(int(arguments[0]), int(arguments[1]), arguments[2])
        return
    model, preprocess, folder, count, *out = arguments
    run = {"float": run_float, "onnxruntime": run_onnxruntime, "nncf": run_nncf}[command]
    files = images_of(folder, int(count))
    seconds = run(model, Preprocess(preprocess), files, *out)
    print(json.dumps({"seconds": seconds, "images": len(files)}))


if __name__ == "__main__":
    main()
