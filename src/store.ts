// src/store.ts — a value that can be watched: by React through useStore, by anybody else through subscribe.
import { useSyncExternalStore } from "react";

export class Store<T extends object> {
  private value: T;
  private readonly watchers = new Set<() => void>();
  constructor(value: T) {
    this.value = value;
  }
  readonly get = (): T => this.value;
  readonly subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };
  set(change: Partial<T>): void {
    this.value = { ...this.value, ...change };
    for (const w of this.watchers) w();
  }
}

export function useStore<T extends object>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}
/** Only a part of it: a component is drawn anew when that changes. */
export function usePart<T extends object, P extends string | number | boolean | undefined>(store: Store<T>, part: (value: T) => P): P {
  return useSyncExternalStore(store.subscribe, () => part(store.get()));
}
