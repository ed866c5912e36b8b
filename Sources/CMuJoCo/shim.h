/* What Swift cannot express: MuJoCo's handlers are global pointers to functions, and its virtual files a huge struct. */
#ifndef PIXELRL_CMUJOCO_SHIM_H
#define PIXELRL_CMUJOCO_SHIM_H

#include <mujoco/mujoco.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn static inline void shim_fail(const char *reason) {
  fprintf(stderr, "pixelrl: MuJoCo: %s\n", reason);
  exit(1);
}

static inline void shim_warn(const char *reason) { fprintf(stderr, "pixelrl: MuJoCo warns: %s\n", reason); }

/* Without handlers MuJoCo writes a MUJOCO_LOG.TXT into the working folder, and waits for a key before it exits. */
static inline void shim_install_handlers(void) {
  mju_user_error = shim_fail;
  mju_user_warning = shim_warn;
}

/* Compiles a model that is a text without files beside it; null and a reason where it is none. */
static inline mjModel *shim_compile(const char *text, int size, char *error, int room) {
  mjVFS *files = (mjVFS *)malloc(sizeof *files);
  if (!files) return NULL;
  mj_defaultVFS(files);
  mjModel *model = NULL;
  if (mj_makeEmptyFileVFS(files, "model.xml", size) == 0) {
    memcpy(files->filedata[mj_findFileVFS(files, "model.xml")], text, (size_t)size);
    model = mj_loadXML("model.xml", files, error, room);
  }
  mj_deleteVFS(files);
  free(files);
  return model;
}

#endif
