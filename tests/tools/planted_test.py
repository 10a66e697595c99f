#!/usr/bin/env python3
"""Plants one violation of every house rule in a clean tree and expects the checker to find it; the clean tree must pass.

A rule that is enabled but has no plant here fails the test, so no rule is on paper only.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOOLS = os.path.join(ROOT, "tools")

CLEAN = {
    "tools/layers.txt": "base:\nops: base\ntext: base\nmodels: base ops\ncli: base ops text models\n",
    "tools/third_party.txt": "dnnl.hpp: ops\nhwy/*: ops/cpu text\ncurl/*: cli\nstdint.h: *\n",
    "include/jina/thing.h": "#pragma once\n#include <string>\n",
    "src/base/thing.h": "#pragma once\n\nint thing();\n",
    "src/base/thing.cpp": '#include "base/thing.h"\n\n// stdout, exit(1), getenv("X"): words in a comment\nint thing() { return 1; }\n',
    "src/models/jina_v9/jina_v9.cpp": '#include "base/thing.h"\n\nconst char* name() { return "jina_v9"; }\n',
    "src/cli/main.cpp": '#include <cstdlib>\n\nint main() { return std::getenv("HOME") == nullptr ? 1 : 0; }\n',
    "tests/base/thing_test.cpp": "int test() { return 0; }\n",
    "tests/models/jina_v9_test.cpp": "int model_test() { return 0; }\n",
    "tests/cli/main_test.cpp": "int main_test() { return 0; }\n",
    "README.md": "# Thing\n\nSee [the tour](docs/tour.md#the-walk).\n\n```sh\ntrue\n```\n",
    "docs/tour.md": "# Tour\n\n## The walk\n\n[thing](../src/base/thing.cpp)\n",
}

LONG_FUNCTION = "int long_one() {\n" + "  thing();\n" * 80 + "  return 1;\n}\n"

# checker, what is planted {path: text}, expected in the output
PLANTS = [
    ("layers", {"src/base/up.cpp": '#include "ops/gemm.h"\n'}, "room 'base' may not include"),
    ("layers", {"src/ops/side.cpp": '#include "text/token.h"\n'}, "room 'ops' may not include"),
    ("layers", {"src/base/near.cpp": '#include "thing.h"\n'}, "from the root of src/"),
    ("layers", {"src/attic/old.cpp": "int old_thing;\n"}, "folder 'attic' is not in"),
    ("layers", {"tools/layers.txt": CLEAN["tools/layers.txt"].replace("base:\n", "base: text\n")}, "not above it"),
    ("layers", {"src/models/gemm.cpp": "#include <dnnl.hpp>\n"}, "<dnnl.hpp> belongs to ops only"),
    ("layers", {"src/ops/simd.cpp": "#include <hwy/highway.h>\n"}, "<hwy/highway.h> belongs to"),
    ("layers", {"src/text/get.cpp": "#include <curl/curl.h>\n"}, "<curl/curl.h> belongs to"),
    ("layers", {"src/base/new.cpp": "#include <boost/asio.hpp>\n"}, "is not in tools/third_party.txt"),
    ("layers", {"src/base/home.cpp": 'const char* home() { return std::getenv("HOME"); }\n'}, "reads the environment"),
    ("layers", {"src/base/say.cpp": 'void say() { std::cout << "hi"; }\n'}, "'std::cout' prints"),
    ("layers", {"src/base/say.cpp": 'void say() { std::fprintf(stderr, "hi"); }\n'}, "'stderr' prints"),
    ("layers", {"src/base/say.cpp": 'void say() { printf("hi"); }\n'}, "'printf(' prints"),
    ("layers", {"src/base/end.cpp": "void end() { std::exit(1); }\n"}, "ends the process"),
    ("layers", {"src/base/end.cpp": "void end() { abort(); }\n"}, "ends the process"),
    ("layers", {"src/base/end.cpp": "void end(int i) { assert(i > 0); }\n"}, "use JINA_CHECK"),
    ("layers", {"src/base/state.cpp": "thread_local int depth;\n"}, "hidden state"),
    ("layers", {"src/text/fast.cpp": "#if defined(__AVX2__)\n#endif\n"}, "platform condition"),
    ("layers", {"include/jina/api.h": "#include <fmt/format.h>\n"}, "public header includes"),
    ("layers", {"include/jina/api.h": '#include "base/thing.h"\n'}, "public header includes"),
    ("layers", {"tools/exceptions/layers.txt": "src/base/gone.cpp print  # was needed once\n"}, "is not needed"),
    ("layers", {"tools/exceptions/layers.txt": "src/base/say.cpp print\n", "src/base/say.cpp": "int i = puts(0);\n"}, "needs its reason"),
    ("names", {"src/text/pick.cpp": 'bool is_new(int v) { return name == "jina_v9"; }\n'}, "'jina_v9' names a model"),
    ("names", {"src/text/pick.cpp": "struct BertTokens {};\n"}, "'BertTokens' names a model"),
    ("names", {"src/cli/pick.cpp": 'auto s = "all-MiniLM-L6-v2";\n'}, "names a model"),
    ("names", {"src/ops/pick.cpp": 'auto s = "jina-embeddings-v3";\n'}, "names a model"),
    ("names", {"include/jina/api.h": "void xlm_load();\n"}, "names a model"),
    ("sizes", {"src/base/long.cpp": "int f();\n" * 900}, "the hard limit is 800"),
    ("sizes", {"src/base/long.cpp": "int f();\n" * 600}, "above 500 a file explains itself"),
    ("sizes", {"src/ops/long.cpp": "int f();\n" * 400}, "above 300 a file explains itself"),
    ("sizes", {"src/base/long.cpp": LONG_FUNCTION}, "a function of 83 lines"),
    ("sizes", {"tools/exceptions/sizes.txt": "src/base/thing.cpp long  # was long once\n"}, "is not needed"),
    ("mirror", {"src/ops/gemm.cpp": "int gemm();\n"}, "has no test tests/ops/gemm_test.cpp"),
    ("mirror", {"tests/ops/gone_test.cpp": "int test();\n"}, "which is not there"),
    ("docs", {"README.md": "[gone](docs/gone.md)\n"}, "there is no docs/gone.md"),
    ("docs", {"README.md": "[tour](docs/tour.md#gone)\n"}, "no such heading"),
    ("docs", {"README.md": "```\njina\n```\n"}, "has no language"),
    ("docs", {"README.md": "```sh\njina\n"}, "not closed"),
    ("docs", {"README.md": "<!-- not run: -->\n```sh\njina\n```\n"}, "needs its reason"),
    ("docs", {"README.md": "<!-- file: src/base/thing.h -->\n```cpp\nint other();\n```\n"}, "differs from src/base/thing.h"),
    ("docs", {"README.md": "<!-- file: src/gone.h -->\n```cpp\nint other();\n```\n"}, "which is not there"),
    ("docs --run", {"README.md": "```sh\nfalse\n```\n"}, "these commands end with 1"),
    ("docs --run", {"README.md": "```sh\njina-gone embed x\n```\n"}, "these commands end with 127"),
]

# The shell script of `tools/check`: (--only NAME, plant, expected in the output)
CHECK_PLANTS = [
    ("format", {"src/base/ugly.cpp": "int  ugly( ){return 1;}\n"}, "Wclang-format-violations"),
    ("scripts", {"run.sh": "#!/bin/sh\necho $1\n"}, "SC2086"),
    ("scripts", {"run.sh": "#!/bin/sh\nx=(1 2)\necho \"${x[1]}\"\n"}, "SC3030"),
    ("names", {"src/text/pick.cpp": 'auto s = "xlm";\n'}, "names a model"),
]

# One violation of each check of .clang-tidy.
TIDY_PLANTS = {
    "bugprone-infinite-loop": "int f() { int i = 0; int j = 0; while (i < 10) { ++j; } return j; }\n",
    "bugprone-sizeof-expression": "int f() { return sizeof(42); }\n",
    "bugprone-suspicious-memset-usage": "#include <cstring>\nvoid f(char* p) { std::memset(p, '0', 4); int x[2]; std::memset(x, 257, sizeof x); }\n",
    "bugprone-unused-raii": "struct Guard { Guard(); ~Guard(); };\nvoid g();\nvoid f() { Guard(); g(); }\n",
    "bugprone-use-after-move": "#include <string>\n#include <utility>\nvoid take(std::string);\nint f(std::string s) { take(std::move(s)); return s.size(); }\n",
    "cppcoreguidelines-no-malloc": "#include <cstdlib>\nvoid* f() { return std::malloc(4); }\n",
    "cppcoreguidelines-owning-memory": "void f() { int* p = new int(1); delete p; }\n",
    "cppcoreguidelines-virtual-class-destructor": "struct Base { virtual void f(); ~Base(); };\n",
    "google-build-using-namespace": "#include <string>\nusing namespace std;\n",
    "google-explicit-constructor": "struct Size { Size(int n); };\n",
    "misc-definitions-in-headers": ("header", "#pragma once\nint f() { return 1; }\n"),
    "misc-unused-using-decls": "namespace a { class B; }\nusing a::B;\n",
    "modernize-make-shared": "#include <memory>\nauto f() { return std::shared_ptr<int>(new int(1)); }\n",
    "modernize-make-unique": "#include <memory>\nauto f() { return std::unique_ptr<int>(new int(1)); }\n",
    "modernize-use-nullptr": "int* f() { return 0; }\n",
    "modernize-use-override": "struct A { virtual ~A() = default; virtual void f(); };\nstruct B : A { virtual void f(); };\n",
    "modernize-use-using": "typedef int Number;\n",
    "performance-for-range-copy": "#include <string>\n#include <vector>\nsize_t f(const std::vector<std::string>& v) { size_t n = 0; for (const auto s : v) n += s.size(); return n; }\n",
    "performance-move-const-arg": "#include <string>\n#include <utility>\nvoid take(std::string);\nvoid f(const std::string& s) { const std::string t = s; take(std::move(t)); }\n",
    "performance-unnecessary-copy-initialization": "#include <string>\nconst std::string& get();\nsize_t f() { const std::string s = get(); return s.size(); }\n",
    "readability-container-size-empty": "#include <string>\nbool f(const std::string& s) { return s.size() == 0; }\n",
    "readability-else-after-return": "int f(int n) { if (n > 0) { return 1; } else { n = 2; } return n; }\n",
    "readability-function-size": "int g();\nint f() {\n" + "  g();\n" * 80 + "  return 0;\n}\n",
    "readability-identifier-naming": "int camelCase() { return 1; }\n",
    "readability-static-accessed-through-instance": "struct S { static int n; };\nint f(S s) { return s.n; }\n",
}

# More of the naming rule: each option has its own plant.
NAMING_PLANTS = [
    "struct snake_type {};\n",
    "class Thing { int count; };\n",
    "enum class Kind { red };\n",
    "constexpr int limit = 3;\n",
    "const int limit_here = 3;\n",
    "int f() { int camelCase = 1; return camelCase; }\n",
    "int f(int camelCase) { return camelCase; }\n",
    "namespace BigName {}\n",
    "#define HELPER(x) (x)\n",
    "template <typename small_t> struct Box {};\n",
    "using small_name = int;\n",
]


def run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True, **options)
    return done.returncode, done.stdout


def write_tree(folder, files):
    for path, text in files.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)


class InTree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="jina-planted-")
        self.addCleanup(shutil.rmtree, self.folder)

    def tree(self, files):
        shutil.rmtree(self.folder)
        write_tree(self.folder, CLEAN)
        write_tree(self.folder, files)



class Planted(InTree):
    def checker(self, name):
        name, _, option = name.partition(" ")
        command = [sys.executable, os.path.join(TOOLS, f"check_{name}.py"), "--root", self.folder]
        environment = dict(os.environ, JINA_MODEL="any")
        return run(command + ([option, self.folder] if option else []), env=environment)

    def test_clean_tree_passes_every_checker(self):
        self.tree({})
        for name in sorted({plant[0] for plant in PLANTS}):
            status, output = self.checker(name)
            self.assertEqual(status, 0, f"{name}: {output}")

    def test_every_planted_violation_is_found(self):
        for name, files, expected in PLANTS:
            with self.subTest(checker=name, expected=expected):
                self.tree(files)
                status, output = self.checker(name)
                self.assertEqual(status, 1, output)
                self.assertIn(expected, output)

    def test_exceptions_allow_what_they_name(self):
        say = {"src/base/say.cpp": 'void say() { puts("hi"); }\n'}
        allow = {"tools/exceptions/layers.txt": "src/base/say.cpp print  # the reason\n"}
        self.tree({**say, **allow})
        self.assertEqual(self.checker("layers")[0], 0)

    def test_every_checker_is_planted_and_in_tools_check(self):
        with open(os.path.join(TOOLS, "check"), encoding="utf-8") as file:
            called = re.search(r"for rule in ([a-z ]+);", file.read()).group(1).split()
        present = [name[len("check_"):-len(".py")] for name in os.listdir(TOOLS) if re.fullmatch(r"check_\w+\.py", name)]
        self.assertEqual(sorted(called), sorted(present))
        self.assertEqual(sorted({plant[0].split()[0] for plant in PLANTS}), sorted(present))


class PlantedInCheck(InTree):
    def test_tools_check(self):
        for only, files, expected in CHECK_PLANTS:
            with self.subTest(only=only, expected=expected):
                self.tree({".clang-format": read(".clang-format")})
                clean = run([os.path.join(TOOLS, "check"), "--only", only, "--root", self.folder])
                self.assertEqual(clean[0], 0, clean[1])
                write_tree(self.folder, files)
                status, output = run([os.path.join(TOOLS, "check"), "--only", only, "--root", self.folder])
                self.assertEqual(status, 1, output)
                self.assertIn(expected, output)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


@unittest.skipUnless(shutil.which("clang-tidy-14"), "clang-tidy-14 is not installed")
class PlantedInTidy(unittest.TestCase):
    def tidy(self, text, name="planted.cpp"):
        with tempfile.TemporaryDirectory() as folder:
            write_tree(folder, {f"src/base/{name}": text, ".clang-tidy": read(".clang-tidy")})
            file = os.path.join(folder, "src", "base", name)
            if name.endswith(".h"):
                write_tree(folder, {"src/planted.cpp": f'#include "{file}"\n'})
                file = os.path.join(folder, "src/planted.cpp")
            return run(["clang-tidy-14", "--quiet", file, "--", "-std=c++20"])

    def enabled(self):
        with tempfile.TemporaryDirectory() as folder:
            write_tree(folder, {".clang-tidy": read(".clang-tidy"), "x.cpp": ""})
            _, output = run(["clang-tidy-14", "--list-checks", os.path.join(folder, "x.cpp"), "--", "-std=c++20"], cwd=folder)
        return [line.strip() for line in output.splitlines() if re.fullmatch(r"\s+[\w.-]+", line)]

    def test_each_enabled_check_has_a_plant_that_it_finds(self):
        self.assertEqual(sorted(self.enabled()), sorted(TIDY_PLANTS))
        for check, plant in TIDY_PLANTS.items():
            with self.subTest(check=check):
                status, output = self.tidy(plant[1], "planted.h") if isinstance(plant, tuple) else self.tidy(plant)
                self.assertIn(f"[{check}", output)
                self.assertNotEqual(status, 0)

    def test_each_naming_rule_has_a_plant_that_it_finds(self):
        for plant in NAMING_PLANTS:
            with self.subTest(plant=plant):
                self.assertIn("[readability-identifier-naming", self.tidy(plant)[1])

    def test_clean_code_passes(self):
        clean = ("constexpr int kLimit = 3;\nclass Thing {\n public:\n  int count() const { return count_; }\n\n private:\n"
                 "  int count_ = kLimit;\n};\n")
        status, output = self.tidy(clean)
        self.assertEqual(status, 0, output)


if __name__ == "__main__":
    unittest.main()
