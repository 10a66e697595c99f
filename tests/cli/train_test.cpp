#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "support/jina_command.h"

namespace jina {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

/// A copy of the program, which finds no library but the one that a test puts beside it.
class TrainCommand : public test::JinaCommand {
 protected:
  TrainCommand() {
    fs::create_directories(files_.path("bin"));
    fs::copy_file(JINA_BINARY, files_.path("bin/jina"));
  }

  void install_library() const {
    fs::create_directories(files_.path("lib"));
    fs::copy_file(JINA_FAKE_TORCH, files_.path("lib/libjina_torch.so"));
  }
  test::ChildOptions train(const std::string& recipe, std::vector<std::string> arguments = {}) const {
    files_.write("r.toml", recipe);
    arguments.insert(arguments.begin(), {"train", files_.path("r.toml")});
    test::ChildOptions options = command(std::move(arguments));
    options.arguments[0] = files_.path("bin/jina");
    return options;
  }
};

TEST_F(TrainCommand, WithoutTheLibraryItSaysHowToGetIt) {
  const test::ChildResult result = test::run_child(train("steps"));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("jina: error: libjina_torch.so: not found in " + files_.path("lib")));
  EXPECT_THAT(result.errors, HasSubstr("tools/fetch_torch.sh"));
  EXPECT_THAT(result.errors, HasSubstr("-DJINA_TORCH=ON"));
}

TEST_F(TrainCommand, CommandLinesThatAreWrong) {
  install_library();
  test::ChildOptions unknown = train("steps");
  unknown.arguments[2] = files_.path("none.toml");
  const test::ChildResult result = test::run_child(unknown);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("none.toml: there is no such recipe"));
  EXPECT_EQ(run({"train"}).exit_code, 2);
  EXPECT_EQ(test::run_child(train("steps", {"--set"})).exit_code, 2);
}

TEST_F(TrainCommand, GivesWhatItWasAskedFor) {
  install_library();
  const test::ChildResult result = test::run_child(
      train("", {"--set", "run.seed=3", "--set", "model.from=a b", "-o", "out", "--resume", "--dry-run"}));
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.errors,
            "recipe " + files_.path("r.toml") + ", output out, set run.seed=3, set model.from=a b, resumed, dry\n");
  EXPECT_EQ(result.output, "");
}

TEST_F(TrainCommand, ErrorsOfTheLibrary) {
  install_library();
  const test::ChildResult wrong = test::run_child(train("wrong"));
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.errors, HasSubstr("jina: error: " + files_.path("r.toml") + ":1: unknown key 'wrong'\n"));
  const test::ChildResult model = test::run_child(train("model"));
  EXPECT_EQ(model.exit_code, 2) << "models are found as by the other commands";
  EXPECT_THAT(model.errors, HasSubstr("nobody/nothing"));
}

TEST_F(TrainCommand, PlainLinesWhereThereIsNoTerminal) {
  install_library();
  const test::ChildResult result = test::run_child(train("steps"));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.errors, HasSubstr("\npairs 1/3  loss 1.5000  2000 tokens/s  0:01 left  2.0 GB\n"
                                       "pairs 3/3  loss 1.5000  2000 tokens/s  2.0 GB\n"));
}

TEST_F(TrainCommand, OneLineOnATerminal) {
  install_library();
  test::ChildOptions options = train("steps");
  options.has_terminal = true;
  const test::ChildResult result = test::run_child(options);
  EXPECT_THAT(result.errors, HasSubstr("\rpairs 1/3  loss"));
  EXPECT_THAT(result.errors, HasSubstr("\rpairs 3/3  loss 1.5000  2000 tokens/s  2.0 GB\x1b[K\r\n"));
}

TEST_F(TrainCommand, CtrlCStopsAfterACheckpoint) {
  install_library();
  test::ChildProcess child(train("endless"));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  child.send_signal(SIGINT);
  const test::ChildResult result = child.wait();
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_THAT(result.errors, HasSubstr("stopping: a checkpoint is written first; Ctrl-C once more ends at once\n"
                                       "checkpoint written\n"));
}

TEST_F(TrainCommand, BringsTheMeasures) {
  install_library();
  EXPECT_THAT(test::run_child(train("evaluate")).errors, HasSubstr("recall 1.000000\n"));
}

TEST_F(TrainCommand, IsInTheManualAndTheCompletions) {
  EXPECT_THAT(run({"man"}).output, HasSubstr("\\fBjina train\\fR [\\fIoptions\\fR] \\fIRECIPE\\fR"));
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = run({"completion", shell}).output;
    EXPECT_THAT(script, HasSubstr("train")) << shell;
    EXPECT_THAT(script, HasSubstr("dry-run")) << shell;
  }
}

}  // namespace
}  // namespace jina
