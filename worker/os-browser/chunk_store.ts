// worker/os-browser/chunk_store.ts — chunks of images in the browser's database, by hash; and fetching them.
import { change, get } from "./database.ts";
import { unpackHashed } from "./codec.ts";
import type { ChunkFetcher, ChunkList, ChunkStore } from "./chunks.ts";

const CHUNK = "chunk:";
const LIST = "chunks:";
const all = (prefix: string): IDBKeyRange => IDBKeyRange.bound(prefix, `${prefix}\uffff`);

export class StoredChunks implements ChunkStore {
  private readonly db: IDBDatabase;
  constructor(db: IDBDatabase) {
    this.db = db;
  }
  get(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return get<Uint8Array<ArrayBuffer>>(this.db, "images", CHUNK + hash).catch(() => undefined);
  }
  put(hash: string, packed: Uint8Array<ArrayBuffer>): Promise<void> {
    // a cache: no room is no failure
    return change(this.db, ["images"], (t) => t.objectStore("images").put(packed, CHUNK + hash)).catch(() => undefined);
  }
}

interface StoredList {
  readonly name: string;
  readonly list: ChunkList;
}

/** The list of an image that was fetched before: what is named by a hash does not change. */
export async function storedList(db: IDBDatabase, sha256: string): Promise<ChunkList | undefined> {
  return (await get<StoredList>(db, "images", LIST + sha256).catch(() => undefined))?.list;
}

/** Keeps a list, and lets go of what only earlier images of that name had. */
export async function keepList(db: IDBDatabase, name: string, list: ChunkList): Promise<void> {
  await change(db, ["images"], (t) => {
    const images = t.objectStore("images");
    images.put({ name, list } satisfies StoredList, LIST + list.sha256);
    const lists = images.getAll(all(LIST)) as IDBRequest<StoredList[]>;
    lists.onsuccess = () => {
      const wanted = new Set<string>();
      for (const other of lists.result) {
        if (other.name === name && other.list.sha256 !== list.sha256) images.delete(LIST + other.list.sha256);
        else for (const hash of other.list.hashes) wanted.add(hash);
      }
      const chunks = images.getAllKeys(all(CHUNK)) as IDBRequest<string[]>;
      chunks.onsuccess = () => {
        for (const key of chunks.result) if (!wanted.has(key.slice(CHUNK.length))) images.delete(key);
      };
    };
  }).catch(() => undefined);
}

const checkStatus = (status: number): void => {
  if (status !== 200) throw new Error(status === 0 ? "the server does not answer" : `the server says ${status}`);
};

export const network: ChunkFetcher = {
  fetch: async (url) => {
    const response = await fetch(url).catch(() => undefined);
    checkStatus(response?.status ?? 0);
    const bytes = await response?.arrayBuffer().catch(() => undefined);
    if (bytes === undefined) throw new Error("the connection broke");
    return new Uint8Array(bytes);
  },
  fetchNow: (url) => {
    const request = new XMLHttpRequest();
    request.open("GET", url, false);
    request.responseType = "arraybuffer";
    try {
      request.send();
    } catch {
      checkStatus(0);
    }
    checkStatus(request.status);
    return new Uint8Array(request.response as ArrayBuffer);
  },
  unpack: unpackHashed,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
