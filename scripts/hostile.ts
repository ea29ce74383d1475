// scripts/hostile.ts — `npm run hostile -- ROUNDS SEED`: links and bundles that mean harm, for as long as one likes (100,000 rounds take some minutes).
import { hostile } from "../worker/test/hostile_links.ts";

const [rounds = 100_000, seed = 1] = process.argv.slice(2).map(Number);
const PART = 2000;
for (let done = 0; done < rounds; done += PART) {
  const from = performance.now();
  const part = await hostile(Math.min(PART, rounds - done), seed + done);
  console.log(`${done + PART} rounds: ${part.clean} clean, ${part.told} with complaints, ${part.refused} refused; ${((performance.now() - from) / PART).toFixed(2)} ms each`);
}
