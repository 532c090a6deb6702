/** Floor 0, annex: the programs of convolutional networks, as an extension of the others. */
import { defineChannels } from "./channels.ts";
import { defineConvolutions } from "./convolutions.ts";
import type { Extension } from "./extension.ts";
import { definePooling } from "./pooling.ts";

export const convolutional: Extension = {
  name: "maxPool",
  define(builder, product) {
    defineConvolutions(builder, product);
    definePooling(builder);
    defineChannels(builder);
  },
};
