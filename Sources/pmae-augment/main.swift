AugmentTool.start()
