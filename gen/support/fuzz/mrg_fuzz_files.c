/* mrg_fuzz_files.c - the files of a folder as inputs: what other fuzzers have kept. */
#include "mrg_fuzz_inside.h"

#include <stdlib.h>
#include <string.h>

enum { PATH = 4096 };

static int is_file(const struct dirent *e) { return e->d_type != DT_DIR && e->d_name[0] != '.'; }

bool mrg_fuzz_files_open(struct mrg_fuzz_files *files, const char *folder)
{
	*files = (struct mrg_fuzz_files){ .folder = folder };
	files->count = scandir(folder, &files->names, is_file, alphasort);
	return files->count >= 0;
}

void mrg_fuzz_files_close(struct mrg_fuzz_files *files)
{
	for (int i = 0; i < files->count; i++)
		free(files->names[i]);
	free((void *)files->names);
}

bool mrg_fuzz_files_next(struct mrg_fuzz_files *files, uint8_t *out, size_t cap, size_t *len)
{
	char path[PATH];
	while (files->next < files->count) {
		const char *const name = files->names[files->next++]->d_name;
		(void)snprintf(path, sizeof path, "%s/%s", files->folder, name);
		FILE *const from = fopen(path, "rb");
		if (from == NULL)
			continue; /* gone since */
		*len = fread(out, 1, cap, from);
		const bool good = ferror(from) == 0;
		(void)fclose(from);
		if (good)
			return true;
	}
	return false;
}
