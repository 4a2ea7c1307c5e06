"""What a weights file's name says about it."""

from pathlib import Path
from urllib.parse import urlsplit

_FRAMEWORKS = {
    ".pt": "PyTorch",
    ".pth": "PyTorch",
    ".ckpt": "PyTorch",
    ".safetensors": "PyTorch",
    ".h5": "Keras",
    ".hdf5": "Keras",
    ".keras": "Keras",
    ".pb": "TensorFlow",
    ".tflite": "TensorFlow",
    ".onnx": "ONNX",
    ".pkl": "ScikitLearn",
    ".joblib": "ScikitLearn",
    ".cbm": "CatBoost",
    ".xgb": "XGBoost",
    ".ubj": "XGBoost",
    ".lgb": "LightGBM",
    ".caffemodel": "Caffe",
}


def guess_framework(file_name: str) -> str:
    """The framework that files of that name usually come from; empty when the name does not tell."""
    return _FRAMEWORKS.get(Path(urlsplit(file_name).path).suffix.lower(), "")


def stem(name: str) -> str:
    """The file name of a path or an address without its extension."""
    return Path(urlsplit(name).path).stem or name
