#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

extern char** environ;

namespace godwit::cli {

// What a run of the real program left behind.
struct Ran {
  int exit = -1;
  std::string out;
  std::string err;
};

// Runs `godwit` as a script would: no terminal, a home of its own, secrets through descriptors.
class Program {
 public:
  explicit Program(std::string binary) : binary_(std::move(binary)) {
    std::string name = (std::filesystem::temp_directory_path() / "godwit-cli-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) dir_ = name;
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() { std::filesystem::remove_all(dir_); }

  const std::filesystem::path& dir() const { return dir_; }
  std::filesystem::path home() const { return dir_ / "home"; }

  // A new file of this user's alone.
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = (dir_ / name).string();
    std::ofstream(path, std::ios::binary) << text;
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return path;
  }

  // `files`: what is open at which descriptor, for reading.
  Ran Run(std::vector<std::string> arguments, const std::map<int, std::string>& files = {}) const {
    arguments.insert(arguments.begin(), binary_);
    return Execute(std::move(arguments), files);
  }

  // Runs another program in the same surroundings.
  Ran Execute(std::vector<std::string> words, const std::map<int, std::string>& files = {}) const {
    Ran ran;
    const std::string out = (dir_ / "stdout").string();
    const std::string err = (dir_ / "stderr").string();
    const pid_t pid = Spawn(std::move(words), files, out, err);
    if (pid != 0) ran.exit = ExitOf(pid);
    ran.out = Read(out);
    ran.err = Read(err);
    return ran;
  }

  // A run that goes on until it is told to end; at the latest at the end of this object.
  class Running {
   public:
    Running(pid_t pid, std::string out, std::string err)
        : pid_(pid), out_(std::move(out)), err_(std::move(err)) {}
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
      if (pid_ != 0) (void)End(SIGKILL);
    }

    std::string out() const { return Read(out_); }
    std::string err() const { return Read(err_); }
    // Sends it a signal, 0 none, and returns how it ended.
    int End(int signal) {
      if (signal != 0) kill(pid_, signal);
      return ExitOf(std::exchange(pid_, 0));
    }

   private:
    pid_t pid_;
    std::string out_;
    std::string err_;
  };
  Running Start(std::vector<std::string> arguments, const std::map<int, std::string>& files) {
    arguments.insert(arguments.begin(), binary_);
    const std::string name = (dir_ / ("running" + std::to_string(++started_))).string();
    const pid_t pid = Spawn(std::move(arguments), files, name + ".out", name + ".err");
    return Running(pid, name + ".out", name + ".err");
  }

  static std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

 private:
  static int ExitOf(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  // Its process, 0 where there is none.
  pid_t Spawn(std::vector<std::string> words, const std::map<int, std::string>& files,
              const std::string& out, const std::string& err) const {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    // Files that a command names without a folder go with the test.
    posix_spawn_file_actions_addchdir_np(&actions, dir_.c_str());
    constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
    if (!files.contains(0)) {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    }
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), kWrite, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), kWrite, 0600);
    for (const auto& [fd, path] : files) {
      posix_spawn_file_actions_addopen(&actions, fd, path.c_str(), O_RDONLY, 0);
    }
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);  // no controlling terminal

    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::vector<std::string> settings{"GODWIT_HOME=" + home().string(),
                                      "XDG_RUNTIME_DIR=" + dir_.string(), "PATH=/usr/bin:/bin"};
    std::vector<char*> env;
    for (std::string& setting : settings) env.push_back(setting.data());
    env.push_back(nullptr);

    pid_t pid = 0;
    if (posix_spawn(&pid, words.front().c_str(), &actions, &attributes, argv.data(), env.data()) !=
        0) {
      pid = 0;
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
  }

  std::string binary_;
  std::filesystem::path dir_;
  int started_ = 0;
};

}  // namespace godwit::cli
