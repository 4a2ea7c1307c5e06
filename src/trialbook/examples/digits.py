"""Train a small neural network on real handwritten digits and keep the whole run.

The data are the 1 797 images of 8 × 8 pixels that ship with scikit-learn (Alpaydin and Kaynak, "Optical Recognition of
Handwritten Digits", UCI Machine Learning Repository, 1998), so nothing is downloaded. They are kept as a dataset,
which the run then uses (``digits_data.py``).

    python -m trialbook.examples.digits --epochs 60 --learning-rate 0.002
"""

import argparse
import csv
import pickle
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import confusion_matrix, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from trialbook import Logger, OutputModel, Task
from trialbook.examples import digits_data

CLASSES = np.arange(10)


def parse_arguments() -> argparse.Namespace:
    """The command line; every value shows up on the run's page without another line of code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.002)
    return parser.parse_args()


def train(task: Task, arguments: argparse.Namespace, settings: dict[str, float]) -> None:
    """Fit, report every epoch, and keep the model and its predictions."""
    logger = task.get_logger()
    images, labels = digits_data.get()
    train_x, test_x, train_y, test_y, _, test_index = train_test_split(
        images,
        labels,
        np.arange(len(labels)),
        test_size=settings["validation_share"],
        random_state=int(settings["seed"]),
        stratify=labels,
    )
    network = MLPClassifier(
        hidden_layer_sizes=(int(settings["hidden_units"]),),
        learning_rate_init=arguments.learning_rate,
        alpha=settings["weight_decay"],
        random_state=int(settings["seed"]),
    )
    shuffle = np.random.default_rng(int(settings["seed"]))
    step = 0
    for epoch in range(arguments.epochs):
        order = shuffle.permutation(len(train_x))
        for batch in np.array_split(order, max(1, len(order) // arguments.batch_size)):
            network.partial_fit(train_x[batch], train_y[batch], classes=CLASSES)
            logger.report_scalar("batch", "loss", network.loss_, step)
            step += 1
        for name, x, y in (("train", train_x, train_y), ("validation", test_x, test_y)):
            probabilities = network.predict_proba(x)
            logger.report_scalar("loss", name, log_loss(y, probabilities, labels=CLASSES), epoch)
            logger.report_scalar("accuracy", name, float(np.mean(probabilities.argmax(axis=1) == y)), epoch)
        if epoch % 10 == 9 or epoch == arguments.epochs - 1:
            guesses = network.predict(test_x)
            accuracy = float(np.mean(guesses == test_y))
            print(
                f"epoch {epoch + 1:3d} of {arguments.epochs}: validation accuracy {accuracy:.4f}", flush=True
            )
            report_mistakes(logger, test_x, test_y, guesses, epoch)
    logger.report_single_value("validation accuracy", accuracy)
    keep_results(task, network, test_index, test_y, network.predict_proba(test_x))


def report_mistakes(
    logger: Logger, x: np.ndarray, truth: np.ndarray, guesses: np.ndarray, epoch: int
) -> None:
    """A confusion matrix, and the misclassified images in one grid.

    Args:
        logger: where to report.
        x: images, shape (n, 64), values 0 to 1.
        truth: digits, shape (n,).
        guesses: predicted digits, shape (n,).
        epoch: the iteration of both reports.
    """
    names = [str(digit) for digit in CLASSES]
    logger.report_confusion_matrix(
        "confusion",
        "validation",
        matrix=confusion_matrix(truth, guesses, labels=CLASSES),
        iteration=epoch,
        xaxis="predicted",
        yaxis="true",
        xlabels=names,
        ylabels=names,
    )
    wrong = np.flatnonzero(truth != guesses)[:40]
    if len(wrong) == 0:
        return
    columns, scale, gap = 8, 8, 6
    rows = -(-len(wrong) // columns)
    side = 8 * scale
    grid = np.full((rows * (side + gap) + gap, columns * (side + gap) + gap), 40, dtype=np.uint8)
    for place, index in enumerate(wrong):
        top, left = (gap + (place // columns) * (side + gap), gap + (place % columns) * (side + gap))
        tile = np.kron(x[index].reshape(8, 8), np.ones((scale, scale)))
        grid[top : top + side, left : left + side] = (tile * 255).astype(np.uint8)
    logger.report_image("misclassified", "validation", iteration=epoch, image=grid)


def keep_results(
    task: Task, network: MLPClassifier, index: np.ndarray, truth: np.ndarray, probabilities: np.ndarray
) -> None:
    """The trained model as an output model, and one row per validation image as a table and an artifact."""
    header = ["image", "true digit", "predicted", "probability", "correct"]
    guesses = probabilities.argmax(axis=1)
    rows = [
        [int(i), int(t), int(g), round(float(p), 4), bool(t == g)]
        for i, t, g, p in zip(index, truth, guesses, probabilities.max(axis=1), strict=True)
    ]
    mistakes = [row for row in rows if not row[-1]]
    task.get_logger().report_table("mistakes", "validation", iteration=0, table_plot=[header, *mistakes])
    folder = Path(tempfile.mkdtemp(prefix="digits-"))
    table = folder / "predictions.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    task.upload_artifact("predictions", table, metadata={"rows": len(rows), "mistakes": len(mistakes)})
    weights = folder / "digits-mlp.pkl"
    weights.write_bytes(pickle.dumps(network))
    model = OutputModel(task=task, name="digits classifier", framework="scikit-learn")
    model.update_labels({str(digit): int(digit) for digit in CLASSES})
    model.update_weights(str(weights))


def main() -> None:
    """The whole program: three lines of it make the record."""
    task = Task.init(
        project_name="Examples/Digits", task_name="train a digit classifier", tags=["demo"], output_uri=True
    )
    arguments = parse_arguments()
    settings = task.connect(
        {"hidden_units": 48, "weight_decay": 1e-4, "validation_share": 0.2, "seed": 7}, name="Model"
    )
    train(task, arguments, settings)
    task.close()


if __name__ == "__main__":
    main()
