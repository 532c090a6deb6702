"""PyTorch on one thread."""

import torch
import torch.nn.functional as F
from process import serve
from torch import nn
from workloads import WORKLOADS, batches_of, layers_of, uniform

torch.set_num_threads(1)
MILLION = 1_000_000


class Network(nn.Module):
    def __init__(self, values):
        super().__init__()
        self.layers = nn.ModuleList()
        for weight, bias in values:
            out, inputs = weight.shape[:2]
            layer = nn.Conv2d(inputs, out, 3, padding=1) if weight.ndim == 4 else nn.Linear(inputs, out)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weight))
                layer.bias.copy_(torch.from_numpy(bias))
            self.layers.append(layer)

    def forward(self, x):
        """All layers' outputs, after their ReLU."""
        outputs = []
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
            if isinstance(layer, nn.Conv2d):
                x = F.max_pool2d(x, 2)
            outputs.append(x)
        outputs.append(self.layers[-1](x.flatten(1)))
        return outputs


def step(name):
    workload = WORKLOADS[name]
    student = Network(layers_of(workload, "student"))
    teacher = Network(layers_of(workload, "teacher")) if "teacher" in workload else None
    optimizer = (
        torch.optim.SGD(student.parameters(), lr=0.01, momentum=0.9)
        if workload.get("momentum")
        else torch.optim.Adam(student.parameters(), lr=1e-3)
    )
    batches = [(torch.from_numpy(x), torch.from_numpy(labels)) for x, labels in batches_of(workload)]
    count = 0

    def run():
        nonlocal count
        x, labels = batches[count % 4]
        count += 1
        optimizer.zero_grad()
        outputs = student(x)
        loss = F.cross_entropy(outputs[-1], labels)
        parts = [loss]
        if teacher is not None:
            with torch.no_grad():
                taught = teacher(x)
            soft = 16 * F.kl_div(
                F.log_softmax(outputs[-1] / 4, 1), F.softmax(taught[-1] / 4, 1), reduction="batchmean"
            )
            loss = 0.7 * loss + 0.3 * soft
            parts.append(soft)
            if workload.get("features"):
                feature = F.mse_loss(outputs[0], taught[1])
                loss = loss + 0.3 * feature
                parts.append(feature)
        loss.backward()
        optimizer.step()
        for part in parts:
            part.item()
        return loss.item()

    return run


def random(seed, *shape):
    count = 1
    for size in shape:
        count *= size
    return torch.from_numpy(uniform(seed, count, 1)).reshape(shape)


def of(function, *given):
    """Runs a function of what stays, without gradients."""

    def run():
        with torch.no_grad():
            function(*given)

    return lambda: run


def one_sample():
    model = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    return of(model, random(8, 1, 784))()


def adam():
    w = nn.Parameter(random(5, MILLION))
    w.grad = random(6, MILLION)
    optimizer = torch.optim.Adam([w], lr=1e-3)

    def run():
        optimizer.step()

    return run


serve(
    torch.__version__,
    {
        **{name: (lambda name=name: step(name)) for name in WORKLOADS},
        **{f"sgemm {n}": of(torch.matmul, random(1, n, n), random(2, n, n)) for n in (256, 1024)},
        "one sample": one_sample,
        "relu": of(torch.relu, random(3, MILLION)),
        "add": of(torch.add, random(3, MILLION), random(4, MILLION)),
        "sum": of(torch.sum, random(3, MILLION)),
        "softmax": of(lambda x: torch.softmax(x, 1), random(7, 128, 1000)),
        "adam": adam,
    },
)
