/**
 * The laws that the tests prove, by number, and where. z are a student's logits, v a teacher's, p = softmax(z / T),
 * q = softmax(v / T); ≡ means the same bits. Test names in the files below begin with these numbers where they are about
 * a law alone. `laws.test.ts` reads the files and finds every name.
 */

/** A test by its file, or what one of the published checks `says`, by its folder. */
export interface Evidence {
  readonly file: string;
  readonly name: string;
}

export interface Law {
  readonly number: number;
  readonly statement: string;
  readonly tests: readonly Evidence[];
}

const from =
  (file: string) =>
  (name: string): Evidence => ({ file, name });

const laws = from("test/laws.test.ts");
const distillation = from("test/distill/laws.test.ts");
const graphs = from("test/random-graphs.test.ts");
/** The checks that every entry of the table of ops goes through, in whichever file of the folder. */
const everyOp = from("src/check/fast-check");

const sumsTo1 = laws("1, 2: sums to 1 within its roundings, with every probability in [0, 1]");
const likeOneHot = laws("14, 15: ≡ with one-hot targets, ≡ with a smoothing of 0");

export const lawsByGroup: Readonly<Record<string, readonly Law[]>> = {
  Softmax: [
    { number: 1, statement: "Σ p = 1 within the roundings of its entries", tests: [sumsTo1] },
    { number: 2, statement: "0 ≤ p ≤ 1", tests: [sumsTo1] },
    {
      number: 3,
      statement: "softmax(z + c) ≡ softmax(z) where z + c is exact",
      tests: [laws("3: ≡ when a constant is added exactly")],
    },
    {
      number: 4,
      statement: "a permutation of the logits permutes p",
      tests: [laws("4: follows a permutation of the classes")],
    },
    { number: 5, statement: "zᵢ ≤ zⱼ gives pᵢ ≤ pⱼ", tests: [laws("5: keeps the order of the logits")] },
    {
      number: 6,
      statement: "exp(logSoftmax z) = softmax z",
      tests: [laws("6: is the exponential of logSoftmax")],
    },
    {
      number: 7,
      statement: "max z ≤ lse z ≤ max z + log classes",
      tests: [
        laws("7: lies between the maximum and the maximum plus the logarithm of the number of classes"),
      ],
    },
    {
      number: 8,
      statement: "of two classes, p₁ = σ(z₁ − z₂)",
      tests: [laws("8: of two classes is the sigmoid of their difference")],
    },
    {
      number: 9,
      statement: "softmax at T ≡ softmax(z / T) for T a power of two",
      tests: [
        laws(
          "9: at a temperature that is a power of two ≡ softmax of logits divided by it, in loss and gradient",
        ),
      ],
    },
    {
      number: 10,
      statement: "the entropy of p grows with T",
      tests: [laws("10: has an entropy that grows with the temperature")],
    },
    {
      number: 11,
      statement: "a gradient through softmax sums to 0 in each row",
      tests: [laws("11: has a gradient that sums to 0 in every row")],
    },
  ],
  "Cross-entropy": [
    {
      number: 12,
      statement: "a row's loss is lse z − z_label, and at least 0",
      tests: [laws("12: is logSumExp less the label's logit, and never negative")],
    },
    {
      number: 13,
      statement: "∂L/∂z = (softmax z − onehot) / rows",
      tests: [laws("13: has the gradient (softmax − onehot) / rows")],
    },
    { number: 14, statement: "labels ≡ one-hot target probabilities", tests: [likeOneHot] },
    { number: 15, statement: "a label smoothing of 0 ≡ none", tests: [likeOneHot] },
    {
      number: 16,
      statement: "the loss of a batch is the mean of the losses of its parts, weighted by rows",
      tests: [laws("16: is the weighted mean over parts of the rows")],
    },
    {
      number: 17,
      statement: "a row in a batch ≡ the row alone, for every op, and for every layer in evaluation mode",
      tests: [
        laws("17: is a matter of every op: of the table's rows, or of the uses below"),
        laws("17: a sample in a batch ≡ the sample alone, forward and backward: %s"),
        laws("17: a sample in a batch ≡ the sample alone, forward and backward: embedding"),
        laws(
          "17: a row's gradient of a mean over rows ≡ that of the row's own loss, over the number of rows: %s",
        ),
        everyOp("computes a row in a batch to the same bits as the row alone"),
        from("test/nn/layers.test.ts")(
          "computes a sample in a batch to the bits that it has alone, in evaluation mode",
        ),
        from("test/kernels/wasm/products.test.ts")("makes a row alone what it is in a batch"),
      ],
    },
  ],
  Distillation: [
    {
      number: 18,
      statement: "T² KL(q ‖ p) ≥ 0, always",
      tests: [
        laws("18: is never negative, however near the student is to its teacher"),
        distillation("18: is never negative, above all where student and teacher nearly agree, in float32"),
      ],
    },
    {
      number: 19,
      statement: "KL(q ‖ q) ≡ +0, and its gradient ≡ 0",
      tests: [
        laws("19: ≡ +0 for equal logits, with a gradient ≡ 0"),
        distillation("19: is +0 with a gradient of zeros for equal logits, to the last bit"),
      ],
    },
    {
      number: 20,
      statement: "KL(q ‖ p) ≥ ½ ‖p − q‖₁² (Pinsker)",
      tests: [
        laws("20: is at least half the squared distance of the distributions (Pinsker)"),
        distillation("20: is at least half the squared distance of the distributions (Pinsker)"),
      ],
    },
    {
      number: 21,
      statement: "KL = cross-entropy − entropy",
      tests: [
        laws("21: is T² times cross-entropy less entropy, and T² times klDiv, of the softened distributions"),
        distillation("21: is T² times cross-entropy minus entropy"),
      ],
    },
    {
      number: 22,
      statement: "∂(T² KL)/∂z = T (p − q) / rows",
      tests: [
        laws("22: has the gradient T (p − q) / rows"),
        distillation("22: has the gradient T (p − q) / rows, which sums to 0 in each row"),
      ],
    },
    {
      number: 23,
      statement: "T² KL → ½ Var(z − v) as T grows, and the gradient → (z − v, centred) / (rows · classes)",
      tests: [
        laws(
          "23: tends to half the mean square of centred logit differences as T grows, its gradient to their mean",
        ),
        distillation(
          "23: tends to half the mean square of centred logit differences as T grows, and its gradient to their mean",
        ),
      ],
    },
    {
      number: 24,
      statement: "‖gradient at 2T‖ / ‖gradient at T‖ → 1",
      tests: [
        laws(
          "24: has gradients whose size does not depend on a large T: a missing T² would show as a factor of 4",
        ),
        distillation(
          "24: keeps the size of its gradient when T doubles: a missing T² shows as a factor of 4",
        ),
      ],
    },
    {
      number: 25,
      statement: "α = 1 ≡ plain cross-entropy, even where the teacher is NaN",
      tests: [
        distillation("25: with α = 1 is the cross-entropy to the last bit, also where the teacher gives NaN"),
        from("test/distill/knowledge-distillation-trainer.test.ts")(
          "with α = 1 trains as on labels alone, bit for bit, and never asks a teacher that gives NaN or throws",
        ),
      ],
    },
    {
      number: 26,
      statement: "α = 0 ≡ the soft loss alone",
      tests: [
        distillation("26: with α = 0 is the soft loss to the last bit, whatever the labels are"),
        from("test/distill/knowledge-distillation-trainer.test.ts")(
          "with α = 0 does not read labels: without them it learns the same, bit for bit",
        ),
      ],
    },
    {
      number: 27,
      statement: "the loss is affine in α",
      tests: [distillation("27: is affine in α, the weight of the hard loss")],
    },
    {
      number: 28,
      statement: "a constant that is added exactly to a teacher's logits changes nothing, ≡",
      tests: [
        laws("28: ≡ when a constant is added exactly to a teacher's logits"),
        distillation(
          "28: does not change when a constant is added to the teacher's logits, bit for bit where the sum is exact",
        ),
      ],
    },
    {
      number: 29,
      statement: "a permutation of the classes on both sides changes nothing",
      tests: [
        laws("29: follows a permutation of the classes on both sides"),
        distillation("29: does not change when all classes are permuted together"),
      ],
    },
    {
      number: 30,
      statement: "the loss is a mean over rows, not divided by classes",
      tests: [
        laws("30: is a mean over rows, not divided by classes"),
        distillation(
          "30: is a mean over rows and not over classes: a batch of equal rows loses what one row loses",
        ),
      ],
    },
    {
      number: 31,
      statement: "the divergence is the student's from the teacher, KL(q ‖ p)",
      tests: [
        distillation("31: measures the student from the teacher, not the other way round"),
        from("test/golden/distillation.test.ts")(
          "have the total 1.638918779 and its gradient with the defaults T = 4, α = 0.7",
        ),
      ],
    },
    {
      number: 32,
      statement: "the Jensen–Shannon divergence is ≡ when its sides are exchanged, and at most log 2",
      tests: [
        from("test/distill/losses/jensen-shannon-loss.test.ts")(
          "is symmetric to the last bit for β = ½: exchanging the models exchanges the gradients",
        ),
        from("test/distill/losses/jensen-shannon-loss.test.ts")(
          "is never negative, at most log 2, and exactly 0 with gradients of 0 for equal logits",
        ),
      ],
    },
    {
      number: 33,
      statement: "a finite loss has a finite gradient, for T from 0.01 to 10⁶",
      tests: [
        laws("33: has a finite gradient wherever it is finite, for T from 0.01 to a million"),
        distillation("33: has a finite gradient wherever it is finite itself, for T from 0.01 to 1e6"),
      ],
    },
    {
      number: 34,
      statement: "training leaves the teacher's weights, buffers, modes and random stream as they were",
      tests: [
        from("test/distill/teacher.test.ts")(
          "keeps its weights, buffers, modes and random stream through training, by hash",
        ),
      ],
    },
    {
      number: 35,
      statement: "an ensemble of one ≡ the teacher",
      tests: [
        from("test/distill/teachers/ensemble.test.ts")("is the teacher bit for bit, combined by logits"),
        from("test/distill/teachers/ensemble.test.ts")(
          "teaches as the teacher does, combined by probabilities: logits are moved by a constant of their row",
        ),
      ],
    },
    {
      number: 36,
      statement: "stored teacher logits ≡ the live teacher",
      tests: [
        from("test/distill/soft-targets/training.test.ts")(
          "with shuffled batches, the store as teacher or attached to the data",
        ),
        from("test/distill/knowledge-distillation-trainer.test.ts")(
          "learns the same from stored teacher logits as from the live teacher, bit for bit, however they are shuffled",
        ),
      ],
    },
    {
      number: 37,
      statement: "β = 0 ≡ no feature term",
      tests: [
        from("test/distill/feature-distillation-trainer.test.ts")(
          "with β = 0 is the trainer without features, bit for bit, with stored teacher logits too",
        ),
      ],
    },
  ],
  Engine: [
    {
      number: 38,
      statement: "⟨A x, y⟩ = ⟨x, Aᵀ y⟩ for every linear op",
      tests: [
        laws("38: has adjoint pairs: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩"),
        everyOp(
          // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in the source
          'is linear in ${groups.map(named).join(" and in ")}, and backward is its adjoint',
        ),
        from("test/ops/conv2d.test.ts")(
          "is linear in x and in the weight, and its gradients are the adjoints",
        ),
      ],
    },
    {
      number: 39,
      statement: "gradients are linear in the cotangent; twice the cotangent ≡ twice the gradients",
      tests: [
        laws("39: gives twice the gradients, to the last bit, for twice the cotangent: %s"),
        everyOp("has gradients that are linear in the cotangent"),
        everyOp("has gradients of exactly 0 for a cotangent of 0"),
      ],
    },
    {
      number: 40,
      statement: "the chain rule holds on random graphs with shared values",
      tests: [
        graphs(
          "40: obey the chain rule: backward gives what dual numbers give forwards, within their error bound",
        ),
        graphs("40: give each input the sum over the copies that it has in the tree without sharing"),
      ],
    },
    {
      number: 41,
      statement: "x + x + x has the gradient 3, x · x has 2x",
      tests: [laws("41: adds the gradients of every use: x + x + x has 3, x · x has 2x")],
    },
    {
      number: 42,
      statement: "a branch that nobody uses changes nothing, ≡",
      tests: [graphs("42: are not changed, to the last bit, by branches that the result does not need")],
    },
    {
      number: 43,
      statement: "gradients of micro-batches add up to that of the batch",
      tests: [
        laws("43: adds micro-batches up to the whole batch"),
        distillation(
          "43: adds its gradient to what is there, hard and soft alike: two backwards give twice one",
        ),
        from("test/distill/micro-batches.test.ts")(
          "loses and learns what the whole batch does, with %s, in float64",
        ),
      ],
    },
    {
      number: 44,
      statement: "the gradient of a broadcast operand ≡ that of the explicit expansion",
      tests: [laws("44: ≡ the gradient of the explicit expansion when operands broadcast")],
    },
    {
      number: 45,
      statement: "behind noGrad and detach a gradient is null, not 0",
      tests: [laws("45: gives null, not zeros, behind noGrad and detach")],
    },
    {
      number: 46,
      statement: "backward goes through a million ops",
      tests: [laws("46: goes back through a million ops")],
    },
    {
      number: 47,
      statement: "forward and backward leave operands, saved values and cotangents as they were",
      tests: [everyOp("leaves operands, values and cotangent as they were")],
    },
  ],
  "Layers and optimizers": [
    {
      number: 48,
      statement: "a convolution is within γ-bounds of the loops that define it",
      tests: [
        everyOp("gives what its reference gives"),
        everyOp("is as exact in float32 as its bounds say"),
        from("test/ops/conv2d.test.ts")(
          "rounds each product and each sum, in the order of channel, row and column of the kernel, from the bias on",
        ),
      ],
    },
    {
      number: 49,
      statement: "layerNorm(a x + c) = layerNorm(x); ≡ for a power of two a and no c",
      tests: [
        from("test/ops/norms.test.ts")("is blind to scale and offset, if ε is scaled with the variance"),
        from("test/ops/norms.test.ts")("gives the same bits for a row scaled by a power of two"),
      ],
    },
    {
      number: 50,
      statement: "batch normalisation in evaluation mode does not depend on batch mates",
      tests: [
        from("test/nn/batch-norm.test.ts")(
          "uses the running statistics in evaluation mode, and writes nothing",
        ),
        from("test/nn/layers.test.ts")(
          "computes a sample in a batch to the bits that it has alone, in evaluation mode",
        ),
      ],
    },
    {
      number: 51,
      statement: "dropout with p = 0, and in evaluation mode, ≡ the identity",
      tests: [
        laws("51: ≡ x with a dropout of 0, drawing nothing"),
        from("test/nn/dropout.test.ts")("is the identity in evaluation mode and draws nothing"),
        from("test/nn/dropout.test.ts")("is the identity with probability 0 and draws nothing"),
      ],
    },
    {
      number: 52,
      statement: "a learning rate of 0 changes no bit of a weight",
      tests: [
        from("test/optim/sgd.test.ts")(
          "changes nothing with a rate of 0 and finite gradients, not even a sign of 0",
        ),
        from("test/optim/optimizer.test.ts")(
          "changes no weight with a rate of 0 and finite gradients, in $name: no denormal, and no sign of a 0",
        ),
      ],
    },
    {
      number: 53,
      statement:
        "Adam over 1,000 steps is within 1e-5 of float64, and each step within its roundings of the exact one",
      tests: [
        from("test/optim/adam.test.ts")("stays within 1e-5 of float64 over 1,000 steps down a real loss"),
        from("test/optim/adam.test.ts")(
          "steps in float32 within its roundings of the float64 step from the same state, %j",
        ),
      ],
    },
    {
      number: 54,
      statement: "states come back ≡, with NaN payloads, −0 and denormal numbers",
      tests: [
        from("test/nn/module.test.ts")(
          "restore every value bit for bit: NaN payloads, −0 and denormals included",
        ),
        from("test/optim/optimizer.test.ts")(
          "brings back every bit of a state, in $name: payloads of NaN, −0 and denormals",
        ),
        from("test/optim/exponential-moving-average.test.ts")(
          "comes back to the bit: payloads of NaN, −0 and denormals",
        ),
      ],
    },
  ],
};

/** Extreme values, on every kernel set: what is fed, what comes out, and where that is tested. */
export const extremeValues: readonly {
  readonly logits: string;
  readonly results: string;
  readonly tests: readonly Evidence[];
}[] = [
  {
    logits: "[1e4, 0]",
    results: "softmax [1, 0]; logSoftmax [0, −1e4]; losses exactly 0 and 1e4, gradients [0, 0] and [1, −1]",
    tests: [laws("logits [1e4, 0, …] of %d classes are certain, in value and gradient")],
  },
  {
    logits: "all equal to any finite c",
    results: "1/classes each; −log classes; log classes; a gradient that sums to 0",
    tests: [laws("logits that are all %d are uniform")],
  },
  {
    logits: "[−∞, 0]",
    results: "[0, 1]; [−∞, 0]; +∞ for label 0; finite gradients",
    tests: [laws("a logit of −∞ among %d has no probability, and an infinite loss has a finite gradient")],
  },
  {
    logits: "a row with NaN or +∞",
    results: "NaN in this row; every other row ≡ as without it, forward and backward",
    tests: [laws("NaN and +∞ spoil their own row of %d classes and no other bit, forward and backward")],
  },
  {
    logits: "one class",
    results: "[1]; [0]; 0; [0]",
    tests: [laws("one class is certain, with a loss of 0 and no gradient")],
  },
  {
    logits: "no rows, no classes",
    results: "no rows; an error; losses are errors",
    tests: [laws("no rows give no rows, and a loss of no rows is an error; so are no classes")],
  },
  {
    logits: "T → 0, T → ∞",
    results: "one-hot, 1/k in a tie of k; uniform; the gradient 0, and its limit of law 23",
    tests: [laws("T → 0 is one-hot, with a k-way tie 1/k, and no gradient is left; T → ∞ is uniform")],
  },
];
