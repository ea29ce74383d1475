// src/head.tsx — the head of a panel's table.
import type { ReactNode } from "react";

/** A column: its name; `number`: it holds numbers; `hidden`: the name is for those who do not see the table. */
export type Column = string | { readonly name: string; readonly number?: boolean; readonly hidden?: boolean };

/** A column of numbers. */
export const numbers = (name: string): Column => ({ name, number: true });

export function Head({ columns }: { readonly columns: readonly Column[] }): ReactNode {
  return (
    <thead>
      <tr>
        {columns.map((column) => {
          const { name, number = false, hidden = false } = typeof column === "string" ? { name: column } : column;
          return (
            <th scope="col" key={name} className={number ? "number" : undefined}>
              {hidden ? <span className="visually-hidden">{name}</span> : name}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}
