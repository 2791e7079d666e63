PretrainTool.start()
