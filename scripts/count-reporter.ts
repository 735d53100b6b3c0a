/** A vitest reporter that ends with one line anybody can count, and leaves the numbers in a file for `.ci/run`. */
import type { TestModule } from "vitest/node";
import { reportCount } from "./count.ts";

interface Failing {
  readonly errors?: readonly { readonly message: string }[] | undefined;
}

function failure(name: string, { errors }: Failing): string {
  return `${name}\n${(errors ?? []).map(({ message }) => message).join("\n")}`;
}

export default class CountReporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly { readonly message: string }[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    const failures: string[] = [];
    for (const module of modules) {
      const file = `[${module.project.name}] ${module.relativeModuleId}`;
      let seen = 0;
      for (const test of module.children.allTests()) {
        seen += 1;
        const { state, errors } = test.result();
        if (state !== "pending") count[state] += 1;
        if (state === "failed") failures.push(failure(`${file} > ${test.fullName}`, { errors }));
      }
      // A file that could not even be loaded has no tests to count as failed; nor has a suite whose preparation failed.
      if (seen === 0 || module.errors().length > 0) failures.push(failure(file, { errors: module.errors() }));
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0) failures.push(failure(`${file} > ${suite.fullName}`, { errors: suite.errors() }));
      }
    }
    // Nobody awaited them, so no test failed of them; vitest ends with an error all the same.
    failures.push(...unhandled.map((error) => failure("outside any test", { errors: [error] })));
    reportCount({ ...count, failed: failures.length, failures });
  }
}
