// worker/os-browser/database.ts — IndexedDB with promises, as much of it as the disks need.

const NAME = "pagezero";
const VERSION = 3;

/** clusters: [disk, number] -> Uint8Array. disks: name -> DiskRecord. images: chunks:… -> StoredList, chunk:… -> a packed chunk, sha256:… -> a published image that is one file, file:… -> StoredFile. sessions: sessions.ts. */
export type Store = "clusters" | "disks" | "images" | "sessions";

/** The answer of a request. */
export function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's database failed"));
  });
}

/** When all of a transaction is done; rejects if it was not. */
export function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    const failed = (): void => reject(transaction.error ?? new Error("the browser's database gave a transaction up"));
    transaction.onabort = failed;
    transaction.onerror = failed;
  });
}

/** Opens the database. Throws a sentence where the browser has none (some private windows). */
export async function openDatabase(): Promise<IDBDatabase> {
  if (typeof indexedDB === "undefined") throw new Error("This browser offers no database, so nothing can be kept here.");
  const request = indexedDB.open(NAME, VERSION);
  request.onupgradeneeded = (e) => {
    const db = request.result;
    if (e.oldVersion === 0) for (const name of ["clusters", "disks", "images"]) db.createObjectStore(name);
    else if (e.oldVersion === 1) wrapFiles(request.transaction!.objectStore("images"));
    if (e.oldVersion < 3) db.createObjectStore("sessions");
  };
  const db = await answer(request);
  // another tab with a newer page wants in: let go
  db.onversionchange = () => db.close();
  return db;
}

/** Version 1 stored a visitor's file alone, version 2 with what is known about it. */
function wrapFiles(images: IDBObjectStore): void {
  const cursor = images.openCursor(IDBKeyRange.bound("file:", "file:\uffff"));
  cursor.onsuccess = () => {
    const at = cursor.result;
    if (at === null) return;
    at.update({ file: at.value as Blob, about: { title: "your file", cmdline: "" } });
    at.continue();
  };
}

/** One value. */
export function get<T>(db: IDBDatabase, store: Store, key: IDBValidKey): Promise<T | undefined> {
  return answer(db.transaction(store).objectStore(store).get(key)) as Promise<T | undefined>;
}

/** Changes in one durable transaction: `work` makes its requests at once. */
export function change(db: IDBDatabase, stores: readonly Store[], work: (transaction: IDBTransaction) => void): Promise<void> {
  const transaction = db.transaction([...stores], "readwrite", { durability: "strict" });
  const end = committed(transaction);
  try {
    work(transaction);
  } catch (e) {
    transaction.abort();
    end.catch(() => undefined);
    return Promise.reject(e instanceof Error ? e : new Error(String(e)));
  }
  return end;
}

/** All keys of clusters of one disk. */
export function diskRange(disk: string): IDBKeyRange {
  return IDBKeyRange.bound([disk, 0], [disk, Infinity]);
}
