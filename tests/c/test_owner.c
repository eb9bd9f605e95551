/* Whose an unfinished file is, told by its name. */
#include "record_helpers.h"

#include "manage/owner.h"

static wi__owner owner_of(const char *name) {
    wi__owner owner;
    expect_that(wi__owner_of_name(name, &owner), WHERE, "%s tells no owner", name);
    return owner;
}

static int is_no_owned_name(const char *name) {
    wi__owner owner;
    return !wi__owner_of_name(name, &owner);
}

alone(a_name_tells_the_process_that_made_it) {
    char name[NAME_MAX + 1];
    wi__owned_name("ber.csv", name);
    expect(strncmp(name, ".ber.csv.within-", 16) == 0);
    wi__owner owner = owner_of(name), self = wi__owner_self();
    expect_count(owner.process.pid, getpid());
    expect_count(owner.process.start, self.process.start);
    expect_text(owner.boot, self.boot);
    expect_text(owner.host, self.host);
    expect(wi__owner_state_of(&owner) == WI__OWNER_ALIVE);
}

alone(a_childs_name_is_not_its_parents) {
    wi__owner parent = wi__owner_self();
    pid_t child = fork();
    if (child == 0) {
        wi__owner self = wi__owner_self();
        _exit(self.process.pid == (uint32_t)getpid() && self.process.start >= parent.process.start
                  ? 0
                  : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    expect_count(status, 0);
}

alone(no_two_names_are_the_same) {
    char first[NAME_MAX + 1], second[NAME_MAX + 1];
    wi__owned_name("a", first);
    wi__owned_name("a", second);
    expect(strcmp(first, second) != 0);
}

alone(a_long_stem_is_cut_between_characters) {
    char stem[400], name[NAME_MAX + 1];
    stem[0] = 'a';
    for (int i = 1; i + 2 < 400; i += 2) memcpy(stem + i, "\xc3\xa9", 3); /* é */
    wi__owned_name(stem, name);
    expect(strlen(name) <= NAME_MAX && strlen(name) >= NAME_MAX - 1);
    const char *mark = strstr(name, ".within-");
    expect(mark && memcmp(mark - 2, "\xc3\xa9", 2) == 0);
    expect_count(owner_of(name).process.pid, getpid());
}

alone(a_stem_may_look_like_an_owner) {
    char inner[NAME_MAX + 1], name[NAME_MAX + 1];
    wi__owned_name("a", inner);
    inner[strlen(inner) - 1] = 'x';
    wi__owned_name(inner, name);
    expect_count(owner_of(name).process.pid, getpid());
}

alone(the_dead_are_told_from_the_living) {
    wi__owner self = wi__owner_self(), owner = self;
    pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, NULL, 0);
    owner.process.pid = (uint32_t)child;
    expect(wi__owner_state_of(&owner) == WI__OWNER_DEAD);
    owner = self;
    owner.process.start++; /* the pid was used again */
    expect(wi__owner_state_of(&owner) == WI__OWNER_DEAD);
    owner = self;
    strcpy(owner.boot, strcmp(self.boot, "ffffffff") ? "ffffffff" : "eeeeeeee");
    expect(wi__owner_state_of(&owner) == WI__OWNER_DEAD);
    strcpy(owner.host, strcmp(self.host, "ffffffff") ? "ffffffff" : "eeeeeeee");
    expect(wi__owner_state_of(&owner) == WI__OWNER_ELSEWHERE);
}

alone(other_names_tell_no_owner) {
    expect(is_no_owned_name(""));
    expect(is_no_owned_name(".within-"));
    expect(is_no_owned_name("a.within-1-2-00000000-00000000-0"));
    expect(is_no_owned_name(".a.within-1-2-00000000-00000000-"));
    expect(is_no_owned_name(".a.within-1-2-00000000-00000000-0x"));
    expect(is_no_owned_name(".a.within-1-2-0000000-00000000-0"));
    expect(is_no_owned_name(".a.within-1-2-0000000g-00000000-0"));
    expect(!is_no_owned_name(".a.within-1-2-00000000-00000000-0"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_name_tells_the_process_that_made_it),
        test(a_childs_name_is_not_its_parents),
        test(no_two_names_are_the_same),
        test(a_long_stem_is_cut_between_characters),
        test(a_stem_may_look_like_an_owner),
        test(the_dead_are_told_from_the_living),
        test(other_names_tell_no_owner),
    };
    return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
