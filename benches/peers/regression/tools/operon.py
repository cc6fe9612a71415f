"""Operon (the package pyoperon, MIT): genetic programming with local fits; NSGA-II over R2 and length.

The search is wired from the package's classes, not through its scikit-learn front, so that its processor time can be
bounded and a law that is exact in double precision ends it (Operon itself computes in single precision).
Settings are those of its scikit-learn front; but: the functions of `common.FUNCTIONS`, two objectives, five steps of
local fit, and the member with the least Bayesian information criterion as answer where none is exact.
"""

import importlib.metadata

import numpy as np
import pyoperon as op

import common
from formula import Formula, r2

POPULATION, LENGTH, DEPTH, LOCAL = 1000, 50, 10, 5


def main():
    args = common.arguments()
    x, y = common.table(args.table)
    clock = common.Clock()

    data = op.Dataset(np.asfortranarray(np.column_stack([x, y])))
    by_index = sorted(data.Variables, key=lambda v: v.Index)
    target, inputs = by_index[-1], [v.Hash for v in by_index[:-1]]
    names = {h: f"x{i}" for i, h in enumerate(inputs)}
    problem = op.Problem(data)
    problem.TrainingRange, problem.TestRange = op.Range(0, len(y)), op.Range(len(y) - 1, len(y))
    problem.Target, problem.InputHashes = target, inputs
    kinds = ("Add", "Sub", "Mul", "Div", "Square", "Constant", "Variable", *(f.capitalize() for f in common.FUNCTIONS))
    mask = 0
    for kind in kinds:
        mask |= int(getattr(op.NodeType, kind))
    problem.ConfigurePrimitiveSet(mask)
    symbols = problem.PrimitiveSet

    creator = op.BalancedTreeCreator(symbols, inputs, 0.0)
    trees = op.UniformLengthTreeInitializer(creator)
    trees.ParameterizeDistribution(symbols.FunctionArityLimits()[0] + 1, 10)
    trees.MinDepth, trees.MaxDepth = 1, 1000
    numbers = op.NormalCoefficientInitializer()
    numbers.ParameterizeDistribution(0, 1)

    dispatch = op.DispatchTable()
    fit, length = op.Evaluator(problem, dispatch, op.R2(), True), op.LengthEvaluator(problem)
    both = op.MultiEvaluator(problem)
    for evaluator in (fit, length):
        both.Add(evaluator)
    for evaluator in (fit, length, both):
        evaluator.Budget = 10**12

    one, many, discrete = op.NormalOnePointMutation(), op.NormalMultiPointMutation(), op.DiscretePointMutation()
    for mutation in (one, many):
        mutation.ParameterizeDistribution(0, 1)
    for number in op.Math.Constants:
        discrete.Add(number, 1.0)
    mutations = [one, many, discrete, op.ChangeVariableMutation(inputs), op.ChangeFunctionMutation(symbols),
                 op.InsertSubtreeMutation(creator, numbers, DEPTH, LENGTH),
                 op.ReplaceSubtreeMutation(creator, numbers, DEPTH, LENGTH), op.RemoveSubtreeMutation(symbols)]
    mixed = op.MultiMutation()
    for mutation in mutations:
        mixed.Add(mutation, 1.0)
    order = op.CrowdedComparison()
    mothers, fathers = op.TournamentSelector(order), op.TournamentSelector(order)
    mothers.TournamentSize = fathers.TournamentSize = 5
    crossover = op.SubtreeCrossover(0.9, DEPTH, LENGTH)
    optimizer = op.LMOptimizer(dispatch, problem, LOCAL, 0)
    local = op.CoefficientOptimizer(optimizer)
    offspring = op.BasicOffspringGenerator(both, crossover, mixed, mothers, fathers, local)
    keep = op.KeepBestReinserter(order)
    sorter = op.RankSorter()
    config = op.GeneticAlgorithmConfig(
        generations=10**9, max_evaluations=10**12, local_iterations=LOCAL, population_size=POPULATION, pool_size=POPULATION,
        p_crossover=1.0, p_mutation=0.25, epsilon=1e-6, seed=args.seed, max_time=int(60 * args.seconds) + 60)
    search = op.NSGA2Algorithm(config, problem, trees, numbers, offspring, keep, sorter)
    stopped = "done"
    checked = set()

    def in_double(individual):
        """The member's text with the best scale and offset, its R2 and its mean squared error, in double precision."""
        text = op.InfixFormatter.Format(individual.Genotype, names, 17)
        f = Formula(text)(x)
        if not np.all(np.isfinite(f)):
            return text, -np.inf, np.inf
        spread = np.var(f)
        scale = float(np.mean((f - f.mean()) * (y - y.mean())) / spread) if spread > 0 else 0.0
        offset = float(y.mean() - scale * f.mean())
        p = scale * f + offset
        # What is 0 or 1 but for single precision is left away where that explains the target as well.
        text = f"{scale!r} * ({text})" if abs(scale - 1) > 1e-6 else text
        text = f"{text} + {offset!r}" if abs(offset) > 1e-6 * np.std(y) else text
        return text, r2(p, y), float(np.mean((p - y) ** 2))

    def watch():
        nonlocal stopped
        front = search.BestFront
        clock.note(max((-m.GetFitness(0) for m in front), default=-np.inf))
        end = clock.seconds() >= args.seconds
        if end:
            stopped = "time"
        for member in front:
            if not end and -member.GetFitness(0) > 1 - 1e-6:
                text = op.InfixFormatter.Format(member.Genotype, names, 17)
                if text not in checked:
                    checked.add(text)
                    if in_double(member)[1] > 1 - common.STOP:
                        end, stopped = True, "exact"
        if end:
            for evaluator in (fit, length, both):
                evaluator.Budget = 0

    search.Run(op.RandomGenerator(np.uint64(args.seed)), watch, 1, False)
    used = clock.seconds()
    criterion = op.BayesianInformationCriterionEvaluator(problem, dispatch)
    generator = op.RandomGenerator(np.uint64(0))
    front = []
    for member in search.BestFront:
        text, _, loss = in_double(member)
        front.append({"expression": text, "size": len(member.Genotype.Nodes), "loss": loss,
                      "bic": criterion(generator, member)[0]})
    front.sort(key=lambda m: m["size"])
    best = common.exact(front, y) or min(front, key=lambda m: m["bic"] if np.isfinite(m["loss"]) else np.inf)
    common.answer(args.out, tool="operon", version=importlib.metadata.version("pyoperon"), expression=best["expression"],
                  settings=f"population {POPULATION}, length {LENGTH}, {LOCAL} local steps", front=front, search_cpu=used,
                  trace=clock.trace, stopped=stopped, evaluations=fit.CallCount, generations=search.Generation)


main()
