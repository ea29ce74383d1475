// src/first.ts — the first script of the page: small, so that what it begins goes on while the rest is read.
import "./early.ts";

void import("./main.tsx");
