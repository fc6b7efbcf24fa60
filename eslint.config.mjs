// How the page's scripts are linted; `make test` does it where Node is installed.

import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    files: ["report/explorer/*.mjs", "tests/unit/report/explorer/*.mjs", "tests/browser/*.mjs"],
    languageOptions: { ecmaVersion: 2023, globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      complexity: ["error", 10],
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "max-len": ["error", { code: 100 }],
      "max-lines-per-function": ["error", { max: 41 }],
      "max-statements-per-line": ["error", { max: 1 }],
      "no-nested-ternary": "error",
      "no-var": "error",
      "one-var": ["error", "never"],
      "prefer-const": "error",
    },
  },
  {
    files: ["tests/browser/*.mjs"], // in Node, but for what runs in the browser
    languageOptions: { globals: globals.node },
  },
];
