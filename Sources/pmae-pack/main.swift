PackTool.start()
