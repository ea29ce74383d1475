// src/lessons/column.tsx — what is loaded when a lesson is first opened: the course of a session, and its column.
import type { ReactNode } from "react";
import type { Session } from "../session.ts";
import { CourseOf } from "./course.ts";
import { LessonColumn } from "./lessons.tsx";

const courses = new WeakMap<Session, CourseOf>();

export function Column({ session }: { readonly session: Session }): ReactNode {
  let course = courses.get(session);
  if (course === undefined) {
    course = new CourseOf(session);
    courses.set(session, course);
    course.begin();
  }
  return <LessonColumn course={course} session={session} />;
}
