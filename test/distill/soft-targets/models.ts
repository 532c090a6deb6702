/** What the tests of soft targets share: a dataset, a teacher, and what a student becomes. */
import { Batches, type BatchesOptions } from "../../../src/data/batches.ts";
import type { Dataset } from "../../../src/data/dataset.ts";
import { ImageAugmentation } from "../../../src/data/image-augmentation.ts";
import { fit, KnowledgeDistillationTrainer, type Teacher } from "../../../src/distill/index.ts";
import { Adam } from "../../../src/optim/index.ts";
import { RandomStream } from "../../../src/random.ts";
import { hashOf, network, rowsOf } from "../models.ts";

export const dataset = rowsOf(23, 1);
export const teacher = network(16, 100);
/** Each row as an image of one line. */
export const augment = new ImageAugmentation({ shape: [1, 1, 5], shift: 1, noise: 0.1, seed: 3 });

/** The hash of a student's weights after some epochs with a teacher. */
export function taught(
  teacher: Teacher,
  data: Dataset,
  options: Partial<BatchesOptions> & { readonly microBatchSize?: number; readonly epochs?: number } = {},
): string {
  const { microBatchSize, epochs = 3, ...loading } = options;
  const student = network(4, 1);
  const trainer = new KnowledgeDistillationTrainer({
    teacher,
    student,
    optimizer: new Adam(student.parameters(), { learningRate: 0.01 }),
    ...(microBatchSize && { microBatchSize }),
  });
  const batches = new Batches(data, { size: 7, random: new RandomStream(2, "shuffle"), ...loading });
  for (const _ of fit(trainer, batches, { epochs }));
  return hashOf(student);
}
