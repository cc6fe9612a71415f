"""The networks of step.rs in PyTorch: process CPU milliseconds of one training step (forward,
backward, AdamW), the least of several runs, one thread. `python step_torch.py [name ..]`"""
import sys, time
import torch, torch.nn as nn, torch.nn.functional as F

torch.set_num_threads(1)


def mlp():
    net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    x, y = torch.rand(128, 784), torch.randint(0, 10, (128,))
    return net, lambda: F.cross_entropy(net(x), y)


class Residual(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        self.c1, self.n1 = nn.Conv2d(i, o, 3, s, 1, bias=False), nn.BatchNorm2d(o)
        self.c2, self.n2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.short = nn.Sequential(nn.Conv2d(i, o, 1, s, bias=False), nn.BatchNorm2d(o)) if s > 1 else nn.Identity()

    def forward(self, x):
        return F.relu(self.n2(self.c2(F.relu(self.n1(self.c1(x))))) + self.short(x))


def resnet(c, size, blocks):
    layers, i = [nn.Conv2d(c, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for w in (16, 32, 64):
        for b in range(blocks):
            layers.append(Residual(i, w, 2 if w > 16 and b == 0 else 1))
            i = w
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    x, y = torch.rand(32, c, size, size), torch.randint(0, 10, (32,))
    return net, lambda: F.cross_entropy(net(x), y)


class Block(nn.Module):
    def __init__(self, d, heads, ff, causal, memory):
        super().__init__()
        self.heads, self.causal, self.memory = heads, causal, memory
        self.n1, self.qkv, self.out = nn.LayerNorm(d), nn.Linear(d, 3 * d), nn.Linear(d, d)
        if memory:
            self.n, self.q, self.k, self.v, self.o = nn.LayerNorm(d), *(nn.Linear(d, d) for _ in range(4))
        self.n2, self.up, self.down = nn.LayerNorm(d), nn.Linear(d, ff), nn.Linear(ff, d)

    def attend(self, q, k, v, causal):
        split = lambda t: t.view(t.shape[0], t.shape[1], self.heads, -1).transpose(1, 2)
        return F.scaled_dot_product_attention(split(q), split(k), split(v), is_causal=causal).transpose(1, 2).flatten(2)

    def forward(self, x, memory=None):
        x = x + self.out(self.attend(*self.qkv(self.n1(x)).chunk(3, -1), self.causal))
        if self.memory:
            x = x + self.o(self.attend(self.q(self.n(x)), self.k(memory), self.v(memory), False))
        return x + self.down(F.gelu(self.up(self.n2(x))))


class Vit(nn.Module):
    def __init__(self, d=128):
        super().__init__()
        self.patch, self.place = nn.Conv2d(3, d, 8, 8), nn.Parameter(torch.rand(64, d))
        self.blocks = nn.ModuleList(Block(d, 4, 4 * d, False, False) for _ in range(4))
        self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, 10)

    def forward(self, x):
        h = self.patch(x).flatten(2).transpose(1, 2) + self.place
        for b in self.blocks:
            h = b(h)
        return self.head(self.norm(h).mean(1))


def vit():
    net = Vit()
    x, y = torch.rand(32, 3, 64, 64), torch.randint(0, 10, (32,))
    return net, lambda: F.cross_entropy(net(x), y)


class EncoderDecoder(nn.Module):
    def __init__(self, d=256, v=64):
        super().__init__()
        self.table, self.place = nn.Embedding(v, d), nn.Parameter(torch.rand(64, d))
        self.encoder = nn.ModuleList(Block(d, 8, 4 * d, False, False) for _ in range(4))
        self.decoder = nn.ModuleList(Block(d, 8, 4 * d, True, True) for _ in range(4))
        self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, v)

    def forward(self, a, b):
        h = self.table(a) + self.place
        for l in self.encoder:
            h = l(h)
        y = self.table(b) + self.place
        for l in self.decoder:
            y = l(y, h)
        return self.head(self.norm(y))


def encoder_decoder():
    net = EncoderDecoder()
    a, b = torch.randint(0, 64, (32, 64)), torch.randint(0, 64, (32, 64))
    return net, lambda: F.cross_entropy(net(a, b).flatten(0, 1), b.flatten())


class Unet(nn.Module):
    def __init__(self):
        super().__init__()
        double = lambda i, o: nn.Sequential(
            nn.Conv2d(i, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
            nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
        self.d1, self.d2, self.mid, self.u2, self.u1 = double(1, 32), double(32, 64), double(64, 128), double(128, 64), double(64, 32)
        self.t2, self.t1, self.last = nn.ConvTranspose2d(128, 64, 2, 2), nn.ConvTranspose2d(64, 32, 2, 2), nn.Conv2d(32, 1, 1)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(F.max_pool2d(a, 2))
        c = self.mid(F.max_pool2d(b, 2))
        h = self.u2(torch.cat([b, self.t2(c)], 1))
        return self.last(self.u1(torch.cat([a, self.t1(h)], 1)))


def unet():
    net = Unet()
    x, y = torch.rand(32, 1, 32, 32), torch.rand(32, 1, 32, 32)
    return net, lambda: F.mse_loss(net(x), y)


table = [
    ("mlp", mlp, 60), ("resnet8-32x32x3", lambda: resnet(3, 32, 1), 30), ("resnet8-64x64x1", lambda: resnet(1, 64, 1), 15),
    ("resnet20-32x32x3", lambda: resnet(3, 32, 3), 15), ("vit-tiny", vit, 20), ("encoder-decoder", encoder_decoder, 6), ("unet", unet, 15)]
for name, make, runs in table:
    if len(sys.argv) > 1 and not any(name.startswith(a) for a in sys.argv[1:]):
        continue
    torch.manual_seed(1)
    net, loss = make()
    optimiser = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=0.01)
    least = float("inf")
    for _ in range(runs):
        t = time.process_time()
        l = loss()
        optimiser.zero_grad()
        l.backward()
        optimiser.step()
        least = min(least, (time.process_time() - t) * 1e3)
    print(f"{name:<18}{least:9.1f} ms  {sum(p.numel() for p in net.parameters())} parameters")
